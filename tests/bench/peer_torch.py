"""The workloads in PyTorch, as tight as its interface allows, behind the line protocol of peer.h.

    peer_torch.py THREADS                        serves requests
    peer_torch.py THREADS first WORK MODEL DATA  prints the first log_prob and the resident memory, and ends

Weights come from the file that the library under test saved, so both compute the same densities. What is done for speed:
  * features are kept as the two halves that couplings exchange: nothing is indexed, split or put together between layers;
  * orders of masked flows, and the order of a network's outputs, are folded into the weights once;
  * masks are never multiplied in the forward pass: weights start masked and gradients are masked, in one call, at the step;
  * all parameters are views of one flat tensor, so that Adam is seven calls in place whatever the number of layers;
  * the base density and the loss are two reductions; nothing records gradients but the training step.
Variants: eager; script (TorchScript); trace (frozen and optimized for inference); for sampling masked flows also
incremental, which computes each hidden unit once, where eager and script run the network once for each feature.
"""

import json
import math
import os
import sys
import time

from typing import List, Tuple

try:
    import numpy as np
    import torch
    from torch import Tensor
    from torch.nn import functional as F
except ImportError as missing:
    print("error", missing.name, "is missing for", sys.executable, flush=True)
    sys.exit(1)

SHAPES = {  # kind, features, layers, hidden width, bins
    "W1": ("coupling", 43, 10, 100, 0),
    "W2a": ("masked", 6, 5, 100, 0),
    "W2b": ("masked", 63, 10, 512, 0),
    "W3": ("coupling", 8, 10, 128, 8),
    "W4a": ("planar", 2, 32, 0, 0),
    "W4b": ("planar", 40, 32, 0, 0),
}
POOL_ROWS = 16384
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
AFFINE_BOUND = 3.0  # the library's defaults
SPLINE_BOUND = 5.0
LEAST = 1e-3  # width, height and slope of a bin


# ---- files -----------------------------------------------------------------------------------------------------------


def read_tensors(path):
    """The f32 tensors of a safetensors file, in its order, as {name: array}."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    out = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            first, end = entry["data_offsets"]
            out[name] = np.frombuffer(data[first:end], np.float32).reshape(entry["shape"])
    return out


def layers_of(tensors):
    """[{name within the layer: array}], first layer first."""
    layers = {}
    for name, array in tensors.items():
        _, number, rest = name.split(".", 2)
        layers.setdefault(int(number), {})[rest] = array
    return [layers[number] for number in sorted(layers)]


def network_of(layer):
    """[W1, b1, W2, b2, W3, b3]"""
    hidden = sorted({name.rsplit(".", 1)[0] for name in layer if ".hidden." in name})
    names = [f"{part}.{kind}" for part in hidden + ["network.output"] for kind in ("weight", "bias")]
    return [layer[name].copy() for name in names]


# ---- couplings -------------------------------------------------------------------------------------------------------
# Layer i moves a and passes b, then the two change places. Outputs of the affine network: all log-scales, then all shifts.


def affine_coupling(a: Tensor, b: Tensor, p: List[Tensor]) -> Tuple[Tensor, Tensor, Tensor]:
    total = torch.zeros(1)
    for i in range(0, len(p), 6):
        h = torch.relu_(F.linear(b, p[i], p[i + 1]))
        h = torch.relu_(F.linear(h, p[i + 2], p[i + 3]))
        s, t = F.linear(h, p[i + 4], p[i + 5]).chunk(2, 1)
        s = torch.tanh(s / 3.0) * 3.0
        moved = torch.addcmul(t, a, torch.exp(s))
        total = total + s.sum(1)
        a, b = b, moved
    return a, b, total


def affine_coupling_back(a: Tensor, b: Tensor, p: List[Tensor]) -> Tuple[Tensor, Tensor]:
    for i in range(len(p) - 6, -1, -6):
        a, b = b, a
        h = torch.relu_(F.linear(b, p[i], p[i + 1]))
        h = torch.relu_(F.linear(h, p[i + 2], p[i + 3]))
        s, t = F.linear(h, p[i + 4], p[i + 5]).chunk(2, 1)
        a = (a - t).mul_(torch.exp_(torch.tanh(s / 3.0).mul_(-3.0)))
    return a, b


# Outputs of the spline's network: widths of all features, heights of all, slopes of all. Widths and heights share their calls.


def spline_tables(o: Tensor, features: int, bins: int) -> Tuple[Tensor, Tensor, Tensor]:
    sizes = torch.softmax(o[:, : 2 * features * bins].view(-1, 2, features, bins), 3)
    sizes = sizes * (10.0 * (1.0 - 1e-3 * bins)) + 10.0 * 1e-3
    knots = F.pad(torch.cumsum(sizes, 3), [1, 0]) - 5.0
    slopes = F.softplus(o[:, 2 * features * bins :].reshape(-1, features, bins - 1) + 0.5397424172369522) + 1e-3
    return sizes, knots, F.pad(slopes, [1, 1], value=1.0)


def bin_of(x: Tensor, inner: Tensor) -> Tensor:
    return (x.unsqueeze(2) >= inner).sum(2, keepdim=True)


def spline(x: Tensor, o: Tensor, bins: int) -> Tuple[Tensor, Tensor]:
    features = x.size(1)
    sizes, knots, slopes = spline_tables(o, features, bins)
    k = bin_of(x, knots[:, 0, :, 1:bins])
    both = k.unsqueeze(1).expand(-1, 2, -1, -1)
    size = sizes.gather(3, both).squeeze(3)
    knot = knots.gather(3, both).squeeze(3)
    w, h = size[:, 0], size[:, 1]
    d0, d1 = slopes.gather(2, k).squeeze(2), slopes.gather(2, k + 1).squeeze(2)
    s = h / w
    inside = (x > -5.0) & (x < 5.0)
    u = torch.where(inside, (x - knot[:, 0]) / w, 0.5)
    v = 1.0 - u
    uv = u * v
    below = s + (d0 + d1 - 2.0 * s) * uv
    y = knot[:, 1] + h * (s * u * u + d0 * uv) / below
    log_slope = torch.log(s * s * (d1 * u * u + 2.0 * s * uv + d0 * v * v) / (below * below))
    return torch.where(inside, y, x), torch.where(inside, log_slope, 0.0).sum(1)


def spline_back(y: Tensor, o: Tensor, bins: int) -> Tensor:
    features = y.size(1)
    sizes, knots, slopes = spline_tables(o, features, bins)
    k = bin_of(y, knots[:, 1, :, 1:bins])
    both = k.unsqueeze(1).expand(-1, 2, -1, -1)
    size = sizes.gather(3, both).squeeze(3)
    knot = knots.gather(3, both).squeeze(3)
    w, h = size[:, 0], size[:, 1]
    d0, d1 = slopes.gather(2, k).squeeze(2), slopes.gather(2, k + 1).squeeze(2)
    s = h / w
    over = y - knot[:, 1]
    bend = over * (d0 + d1 - 2.0 * s)
    a = h * (s - d0) + bend
    b = h * d0 - bend
    root = torch.sqrt(torch.clamp(b * b + 4.0 * a * s * over, min=0.0))
    x = knot[:, 0] + w * (2.0 * s * over) / (b + root)
    return torch.where((y > -5.0) & (y < 5.0), x, y)


def spline_coupling(a: Tensor, b: Tensor, p: List[Tensor]) -> Tuple[Tensor, Tensor, Tensor]:
    total = torch.zeros(1)
    for i in range(0, len(p), 6):
        h = torch.relu_(F.linear(b, p[i], p[i + 1]))
        h = torch.relu_(F.linear(h, p[i + 2], p[i + 3]))
        moved, log_det = spline(a, F.linear(h, p[i + 4], p[i + 5]), 8)
        total = total + log_det
        a, b = b, moved
    return a, b, total


def spline_coupling_back(a: Tensor, b: Tensor, p: List[Tensor]) -> Tuple[Tensor, Tensor]:
    for i in range(len(p) - 6, -1, -6):
        a, b = b, a
        h = torch.relu_(F.linear(b, p[i], p[i + 1]))
        h = torch.relu_(F.linear(h, p[i + 2], p[i + 3]))
        a = spline_back(a, F.linear(h, p[i + 4], p[i + 5]), 8)
    return a, b


class Coupling:
    """The even features, counted from one, pass in the first layer: those at odd places from zero."""

    def __init__(self, layers, features, width, bins):
        self.features = features
        self.spline = bins > 0
        self.forward_ = spline_coupling if bins else affine_coupling
        self.back_ = spline_coupling_back if bins else affine_coupling_back
        self.parameters, self.masks = [], None
        for layer in layers:
            weights = network_of(layer)
            weights[4], weights[5] = self.reorder(weights[4], bins), self.reorder(weights[5], bins)
            self.parameters += weights
        self.pairs = features // 2

    @staticmethod
    def reorder(array, bins):
        """[feature][parameter] to [parameter][feature] (affine), or to widths, heights, slopes of all features."""
        each = 3 * bins - 1 if bins else 2
        split = array.reshape(-1, each, *array.shape[1:])
        if not bins:
            return np.ascontiguousarray(split.swapaxes(0, 1)).reshape(array.shape)
        parts = (split[:, :bins], split[:, bins : 2 * bins], split[:, 2 * bins :])
        return np.concatenate([part.reshape(-1, *array.shape[1:]) for part in parts])

    def log_prob(self, forward, x, p):
        a, b, log_det = forward(x[:, 0::2].contiguous(), x[:, 1::2].contiguous(), p)
        return log_det - 0.5 * ((a * a).sum(1) + (b * b).sum(1)) - self.features * HALF_LOG_2PI

    def loss(self, forward, x, p):
        a, b, log_det = forward(x[:, 0::2].contiguous(), x[:, 1::2].contiguous(), p)
        squares = torch.dot(a.reshape(-1), a.reshape(-1)) + torch.dot(b.reshape(-1), b.reshape(-1))
        return (0.5 * squares - log_det.sum()) / x.size(0)

    def invert(self, back, z, p):
        """An even number of layers leaves the halves where they were."""
        a, b = back(z[:, 0::2].contiguous(), z[:, 1::2].contiguous(), p)
        out = torch.empty_like(z)
        out[:, 0::2], out[:, 1::2] = a, b
        return out

    sampling = ("eager", "script")


# ---- masked autoregressive flows -------------------------------------------------------------------------------------


def masked(x: Tensor, p: List[Tensor]) -> Tuple[Tensor, Tensor]:
    total = torch.zeros(1)
    for i in range(0, len(p), 6):
        h = torch.relu_(F.linear(x, p[i], p[i + 1]))
        h = torch.relu_(F.linear(h, p[i + 2], p[i + 3]))
        s, t = F.linear(h, p[i + 4], p[i + 5]).chunk(2, 1)
        s = torch.tanh(s / 3.0) * 3.0
        x = torch.addcmul(t, x, torch.exp(s))
        total = total + s.sum(1)
    return x, total


def masked_back(z: Tensor, p: List[Tensor]) -> Tensor:
    """Every layer once for each feature; of the outputs only the two that are needed."""
    d = z.size(1)
    for i in range(len(p) - 6, -1, -6):
        x = torch.zeros_like(z)
        turned = (i // 6) % 2 == 1
        for n in range(d):
            f = d - 1 - n if turned else n
            h = torch.relu_(F.linear(x, p[i], p[i + 1]))
            h = torch.relu_(F.linear(h, p[i + 2], p[i + 3]))
            o = F.linear(h, p[i + 4][f :: d], p[i + 5][f :: d])
            x[:, f] = (z[:, f] - o[:, 1]) * torch.exp(torch.tanh(o[:, 0] / 3.0) * -3.0)
        z = x
    return z


class Masked:
    """Odd layers, from zero, read the features backwards: folded into the first and the last matrix."""

    def __init__(self, layers, features, width, bins):
        self.features, self.width, self.count = features, width, len(layers)
        self.forward_, self.back_ = masked, masked_back
        n = features - 1
        self.degrees = 1 + (np.arange(width) * n // width if width >= n else np.arange(width) * (n - 1) // (width - 1))
        self.parameters, self.masks, self.sweeps = [], [], []
        for i, layer in enumerate(layers):
            weights, mask = network_of(layer), self.mask_of()
            for array, allowed in zip(weights, mask):
                if np.any(array[~allowed]):
                    raise ValueError("a masked weight of the file is not zero: other degrees than expected")
            self.sweeps.append([torch.from_numpy(w) for w in weights])
            for arrays in (weights, mask):
                arrays[4], arrays[5] = self.reorder(arrays[4], i), self.reorder(arrays[5], i)
                if i % 2:
                    arrays[0] = np.ascontiguousarray(arrays[0][:, ::-1])
            self.parameters += weights
            self.masks += mask
        self.cuts = [int(np.searchsorted(self.degrees, m, side="right")) for m in range(features)]

    def mask_of(self):
        m, f = self.degrees, np.arange(1, self.features + 1)
        outputs = np.repeat(m[None, :] < f[:, None], 2, axis=0)
        biases = [np.ones(k, bool) for k in (self.width, self.width, 2 * self.features)]
        return [m[:, None] >= f[None, :], biases[0], m[:, None] >= m[None, :], biases[1], outputs, biases[2]]

    def reorder(self, array, i):
        split = array.reshape(self.features, 2, *array.shape[1:])
        split = split[::-1] if i % 2 else split
        return np.ascontiguousarray(split.swapaxes(0, 1)).reshape(array.shape)

    def log_prob(self, forward, x, p):
        z, log_det = forward(x, p)
        return log_det - 0.5 * (z * z).sum(1) - self.features * HALF_LOG_2PI

    def loss(self, forward, x, p):
        z, log_det = forward(x, p)
        return (0.5 * torch.dot(z.reshape(-1), z.reshape(-1)) - log_det.sum()) / x.size(0)

    def invert(self, back, z, p):
        return back(z, p)

    def incremental(self, z):
        """Feature by row, so that units and features are contiguous slices: a unit is computed when what it sees is known."""
        count, z = z.size(0), z.t().contiguous()
        first, second = torch.empty(self.width, count), torch.empty(self.width, count)
        for i in range(self.count - 1, -1, -1):
            w1, b1, w2, b2, w3, b3 = self.sweeps[i]
            if i % 2:
                z = z.flip(0)
            x, known = torch.empty_like(z), 0
            for f in range(self.features):
                units = self.cuts[f]
                if units > known:
                    new = first[known:units]
                    torch.addmm(b1[known:units, None], w1[known:units, :f], x[:f], out=new).relu_()
                    new = second[known:units]
                    torch.addmm(b2[known:units, None], w2[known:units, :units], first[:units], out=new).relu_()
                    known = units
                o = torch.addmm(b3[2 * f : 2 * f + 2, None], w3[2 * f : 2 * f + 2, :units], second[:units])
                torch.mul(z[f] - o[1], torch.exp_(torch.tanh(o[0] / 3.0).mul_(-3.0)), out=x[f])
            z = x.flip(0) if i % 2 else x
        return z.t().contiguous()

    sampling = ("eager", "script", "incremental")


# ---- planar ----------------------------------------------------------------------------------------------------------


def planar(x: Tensor, p: List[Tensor]) -> Tuple[Tensor, Tensor]:
    """All layers' w and u are rows of two matrices: what is derived from them takes one pass of small calls."""
    w, u, b = p[0], p[1], p[2]
    wu = (w * u).sum(1)
    q1 = F.softplus(wu) + (1e-6 - 1.0)
    v = u + ((q1 - wu) / (w * w).sum(1)).unsqueeze(1) * w
    slopes: List[Tensor] = []
    for k in range(w.size(0)):
        h = torch.tanh(torch.addmv(b[k], x, w[k]))
        x = torch.addr(x, h, v[k])
        slopes.append(h)
    h = torch.stack(slopes)
    psi = torch.addcmul(1.0 + q1.unsqueeze(1), h * h, q1.unsqueeze(1), value=-1.0)
    return x, torch.log(psi).sum(0)


class Planar:
    def __init__(self, layers, features, width, bins):
        self.features, self.masks = features, None
        self.forward_, self.back_ = planar, None
        self.parameters = [np.stack([layer[name] for layer in layers]) for name in ("w", "u", "b")]

    def log_prob(self, forward, x, p):
        z, log_det = forward(x, p)
        return log_det - 0.5 * (z * z).sum(1) - self.features * HALF_LOG_2PI

    def loss(self, forward, x, p):
        z, log_det = forward(x, p)
        return (0.5 * torch.dot(z.reshape(-1), z.reshape(-1)) - log_det.sum()) / x.size(0)

    sampling = ()  # the inverse has no formula


# ---- training --------------------------------------------------------------------------------------------------------


class Adam:
    """Parameters that are views of one flat tensor, and the optimizer's seven passes over it."""

    def __init__(self, arrays, masks):
        self.flat = torch.from_numpy(np.concatenate([array.reshape(-1) for array in arrays]))
        self.gradient = torch.empty_like(self.flat)
        self.mask = None
        if masks:
            self.mask = torch.from_numpy(np.concatenate([mask.reshape(-1) for mask in masks]).astype(np.float32))
        self.first, self.second = torch.zeros_like(self.flat), torch.zeros_like(self.flat)
        pieces = self.flat.split([array.size for array in arrays])
        self.parameters = [
            piece.detach().view(array.shape).requires_grad_() for piece, array in zip(pieces, arrays)
        ]
        self.steps = 0

    def step(self, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.steps += 1
        torch.cat([p.grad.view(-1) for p in self.parameters], out=self.gradient)
        for p in self.parameters:
            p.grad = None
        if self.mask is not None:
            self.gradient.mul_(self.mask)
        self.first.lerp_(self.gradient, 1 - beta1)
        self.second.mul_(beta2).addcmul_(self.gradient, self.gradient, value=1 - beta2)
        below = self.second.sqrt().div_(math.sqrt(1 - beta2**self.steps)).add_(epsilon)
        self.flat.addcdiv_(self.first, below, value=-rate / (1 - beta1**self.steps))


# ---- requests --------------------------------------------------------------------------------------------------------

KINDS = {"coupling": Coupling, "masked": Masked, "planar": Planar}


class Subject:
    def __init__(self, work, path):
        kind, features, _, width, bins = SHAPES[work]
        self.model = KINDS[kind](layers_of(read_tensors(path)), features, width, bins)
        self.weights = [torch.from_numpy(array) for array in self.model.parameters]
        self.pool = torch.randn(POOL_ROWS, features)
        self.next = 0
        self.compiled = {}
        self.optimizer = None

    def batch(self, size):
        if self.next + size > POOL_ROWS:
            self.next = 0
        rows = self.pool[self.next : self.next + size]
        self.next += size
        return rows

    def scripted(self, function):
        if function not in self.compiled:
            self.compiled[function] = torch.jit.script(function)
        return self.compiled[function]

    def traced(self):
        if "trace" not in self.compiled:
            model, weights = self.model, self.weights

            class Density(torch.nn.Module):
                def forward(self, x):
                    return model.log_prob(model.forward_, x, weights)

            traced = torch.jit.trace(Density().eval(), self.pool[:128], check_trace=False)
            self.compiled["trace"] = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
        return self.compiled["trace"]

    def variants(self, op):
        if op == "sample":
            return self.model.sampling
        return ("eager", "script", "trace") if op == "log_prob" else ("eager", "script")

    def log_prob(self, variant):
        if variant == "trace":
            return self.traced()
        forward = self.model.forward_ if variant == "eager" else self.scripted(self.model.forward_)
        return lambda x: self.model.log_prob(forward, x, self.weights)

    def train(self, variant):
        if self.optimizer is None:
            self.optimizer = Adam(self.model.parameters, self.model.masks)
        forward = self.model.forward_ if variant == "eager" else self.scripted(self.model.forward_)

        def step(x):
            self.model.loss(forward, x, self.optimizer.parameters).backward()
            self.optimizer.step(1e-5)

        return step

    def invert(self, variant):
        if variant == "incremental":
            return self.model.incremental
        back = self.model.back_ if variant == "eager" else self.scripted(self.model.back_)
        return lambda z: self.model.invert(back, z, self.weights)

    def once(self, op, variant, size):
        if op == "train":
            step = self.train(variant)
            return lambda: step(self.batch(size))
        if op == "log_prob":
            density = self.log_prob(variant)
            return lambda: density(self.batch(size))
        invert = self.invert(variant)
        return lambda: invert(torch.randn(size, self.model.features))

    def warm(self, op, variant, size):
        """TorchScript watches two runs before it has its code; slow calls are warm after one."""
        key = (op, variant, size)
        if key in self.compiled:
            return
        self.compiled[key] = True
        call = self.once(op, variant, size)
        start = time.perf_counter()
        for _ in range(5):
            call()
            if time.perf_counter() - start > 2:
                break

    def rate(self, op, variant, size, seconds):
        self.warm(op, variant, size)
        call, calls = self.once(op, variant, size), 0
        start = time.perf_counter()
        while True:
            call()
            calls += 1
            now = time.perf_counter()
            if now - start >= seconds:
                return calls * size / (now - start)


def check(subject, variant, source, target):
    rows = torch.from_numpy(np.load(source))
    out = subject.log_prob(variant)(rows)
    np.save(target, out.numpy().astype(np.float64))
    return ""


def check_inverse(subject, variant):
    """How far latent rows are from what they become there and back."""
    z = torch.randn(64, subject.model.features)
    x = subject.invert(variant)(z)
    model = subject.model
    if isinstance(model, Coupling):
        a, b, _ = model.forward_(x[:, 0::2].contiguous(), x[:, 1::2].contiguous(), subject.weights)
        return repr(max((a - z[:, 0::2]).abs().max().item(), (b - z[:, 1::2]).abs().max().item()))
    return repr((model.forward_(x, subject.weights)[0] - z).abs().max().item())


def answer(subjects, words):
    command = words[0]
    if command == "hello":
        return f"torch {torch.__version__}"
    if command == "load":
        subjects[words[1]] = Subject(words[1], words[2])
        return ""
    subject = subjects[words[1]]
    if command == "variants":
        return " ".join(subject.variants(words[2]))
    with torch.set_grad_enabled(command == "rate" and words[2] == "train"):
        if command == "check":
            return check(subject, words[2], words[3], words[4])
        if command == "invert":
            return check_inverse(subject, words[2])
        if command == "rate":
            return repr(subject.rate(words[2], words[3], int(words[4]), float(words[5])))
    raise ValueError("unknown request")


def serve():
    subjects = {}
    for line in sys.stdin:
        try:
            reply = "ok " + answer(subjects, line.split())
        except Exception as problem:  # whatever it is, the harness is told and goes on
            reply = "error " + " ".join(f"{type(problem).__name__}: {problem}".split())[:800]
        sys.stdout.write(reply + "\n")
        sys.stdout.flush()


def first(work, path, data):
    with torch.no_grad():
        density = Subject(work, path).log_prob("eager")
        value = density(torch.from_numpy(np.load(data))[:1]).item()
    with open("/proc/self/status") as status:
        resident = [line.split()[1] for line in status if line.startswith("VmRSS")][0]
    print("ok", value, resident, flush=True)


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    if len(sys.argv) > 2:
        first(*sys.argv[3:6])
    else:
        serve()
    os._exit(0)  # OpenMP's threads need no farewell
