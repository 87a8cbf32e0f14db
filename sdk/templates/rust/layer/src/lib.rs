//! @ID@ - every feature is scaled, and pushed by the one before it: a staircase.
//!
//! z_0 = a_0 x_0,  z_f = a_f x_f + w_f tanh(x_(f-1)); log|det J| = sum log a_f. The inverse goes up the stairs, x_0 first.
//!
//! Your mathematics is here. abi.rs holds the structs of the interface, call.rs what a call may use, module.rs what create
//! may, and layer.rs makes the interface's calls of a type that is a Layer.

mod abi;
mod call;
mod layer;
mod module;

use abi::{size, text, Handle, LayerOps, Module, ModuleOption, Root, Status, F32, F64, NO_DECAY, NUMBER, OK};
use call::{Call, Lanes, Real};
use layer::{layer, ops, Back, Layer};
use module::{Build, Texts};

struct Stair {
    features: usize,
    raw: Handle,   // parameter [features]
    push: Handle,  // parameter [features]; the first is not used
    scale: Handle, // derived tensor [features], computed in prepare
}

/// The gradients of feature f's parameters, when `bar` is the cotangent of z_f and `sum_bar` that of the log-det, summed
/// over the rows.
struct Share<'a, R> {
    f: usize,
    sign: R,
    bar: &'a [R],
    x: &'a [R],
    below: &'a [R],
    sum_bar: R,
}

impl Stair {
    fn add_log_det<R: Real>(&self, call: &Call<R>, sign: R, log_det: Option<&mut [R]>) {
        let sum = call.tensor(self.scale, self.features).iter().fold(R::ZERO, |sum, a| sum + a.ln());
        for l in log_det.into_iter().flatten() {
            *l += sign * sum;
        }
    }

    fn add_gradients<R: Real>(&self, call: &Call<R>, to: Share<R>) {
        let (mut along, mut pushed) = (R::ZERO, R::ZERO);
        for r in 0..call.rows() {
            along += to.bar[r] * to.x[r];
            pushed += to.bar[r] * to.below[r];
        }
        if let Some(by_scale) = call.gradient(self.scale, self.features) {
            let scale = call.tensor(self.scale, self.features);
            by_scale[to.f] += to.sign * (along + to.sum_bar / scale[to.f]);
        }
        if let (Some(by_push), true) = (call.gradient(self.push, self.features), to.f > 0) {
            by_push[to.f] += to.sign * pushed;
        }
    }
}

impl Layer for Stair {
    const TEXTS: Texts = Texts {
        id: "@ID@\0",
        version: "1.0.0\0",
        summary: "every feature is scaled and pushed by the one before it\0",
        doc: "\
z_0 = a_0 x_0,  z_f = a_f x_f + w_f tanh(x_(f-1)), with scales a = softplus(raw) > 0. Parameters: raw [features],
push [features] = w. Starts with a = `scale` and w = 0. Derived: scale = a.
J is lower triangular: log|det J| = sum log a_f. The inverse goes up the stairs, x_0 first, and is exact.
Cost: one tanh a value in either direction. Rows that overflow are discarded.\0",
    };

    fn create(build: &mut Build) -> Result<Self, String> {
        let features = build.features();
        let start = build.number("scale")?.exp_m1().ln();
        Ok(Stair {
            features,
            raw: build.parameter("raw", features, start, NO_DECAY)?,
            push: build.parameter("push", features, 0.0, 0)?,
            scale: build.derived("scale", features)?,
        })
    }

    /// What does not depend on rows is done here, once for each update of the parameters.
    fn prepare<R: Real>(&self, call: &Call<R>) -> Option<Status> {
        call.softplus(call.tensor(self.raw, self.features), call.tensor_mut(self.scale, self.features));
        Some(OK)
    }

    fn prepare_vjp<R: Real>(&self, call: &Call<R>) -> Option<Status> {
        let raw = call.tensor(self.raw, self.features);
        let wanted = (call.gradient(self.scale, self.features), call.gradient(self.raw, self.features));
        if let (Some(by_scale), Some(by_raw)) = wanted {
            for f in 0..self.features {
                by_raw[f] += by_scale[f] / (R::ONE + (-raw[f]).exp());
            }
        }
        Some(OK)
    }

    /// Both directions keep tanh(x) on the tape: the way back needs it, and it is dear to compute.
    fn forward<R: Real>(&self, call: &Call<R>, x: Lanes<R>, z: Lanes<R>, log_det: Option<&mut [R]>) -> Option<Status> {
        let (scale, push) = (call.tensor(self.scale, self.features), call.tensor(self.push, self.features));
        let bent = call.keep(self.features)?;
        let mut status = OK;
        for f in 0..self.features {
            let (from, to) = (x.lane(f), z.lane_mut(f));
            call.tanh(from, bent.lane_mut(f));
            for i in 0..from.len() {
                to[i] = scale[f] * from[i];
            }
            if f > 0 {
                let below = bent.lane(f - 1);
                for i in 0..from.len() {
                    to[i] += push[f] * below[i];
                }
            }
            status = status.max(call.discard_unless_finite(to));
        }
        self.add_log_det(call, R::ONE, log_det);
        Some(status)
    }

    fn inverse<R: Real>(&self, call: &Call<R>, z: Lanes<R>, x: Lanes<R>, log_det: Option<&mut [R]>) -> Option<Status> {
        let (scale, push) = (call.tensor(self.scale, self.features), call.tensor(self.push, self.features));
        let bent = call.keep(self.features)?;
        let mut status = OK;
        for f in 0..self.features {
            let (from, to) = (z.lane(f), x.lane_mut(f));
            for i in 0..from.len() {
                let pushed = if f > 0 { push[f] * bent.lane(f - 1)[i] } else { R::ZERO };
                to[i] = (from[i] - pushed) / scale[f];
            }
            status = status.max(call.discard_unless_finite(to));
            call.tanh(to, bent.lane_mut(f));
        }
        self.add_log_det(call, -R::ONE, log_det);
        Some(status)
    }

    /// x_f reaches z_f through its scale, and z_(f+1) through tanh.
    fn forward_vjp<R: Real>(&self, call: &Call<R>, back: Back<R>) -> Option<Status> {
        let (scale, push) = (call.tensor(self.scale, self.features), call.tensor(self.push, self.features));
        let bent = call.pop(self.features)?;
        let sum_bar = back.log_det_bar.map_or(R::ZERO, |lane| call.sum(lane));
        for f in 0..self.features {
            let (bar, own) = (back.to_bar.lane(f), bent.lane(f));
            let below = bent.lane(f.saturating_sub(1));
            self.add_gradients(call, Share { f, sign: R::ONE, bar, x: back.from.lane(f), below, sum_bar });
            let to = match &back.from_bar {
                Some(lanes) => lanes.lane_mut(f),
                None => continue,
            };
            for i in 0..to.len() {
                to[i] = scale[f] * bar[i];
            }
            if f + 1 < self.features {
                let above = back.to_bar.lane(f + 1);
                for i in 0..to.len() {
                    to[i] += push[f + 1] * above[i] * (R::ONE - own[i] * own[i]);
                }
            }
        }
        Some(OK)
    }

    /// z_bar = a with J^T a = x_bar, from the top of the stairs down; the parameters then get what forward gives them for
    /// -a and minus the log-det's cotangent.
    fn inverse_vjp<R: Real>(&self, call: &Call<R>, back: Back<R>) -> Option<Status> {
        let (scale, push) = (call.tensor(self.scale, self.features), call.tensor(self.push, self.features));
        let bent = call.pop(self.features)?;
        let sum_bar = back.log_det_bar.map_or(R::ZERO, |lane| call.sum(lane));
        let z_bar = match back.from_bar {
            Some(lanes) => lanes,
            None => call.take(self.features)?,
        };
        for f in (0..self.features).rev() {
            let (bar, own, to) = (back.to_bar.lane(f), bent.lane(f), z_bar.lane_mut(f));
            for i in 0..to.len() {
                let mut left = bar[i];
                if f + 1 < self.features {
                    left += -push[f + 1] * z_bar.lane(f + 1)[i] * (R::ONE - own[i] * own[i]);
                }
                to[i] = left / scale[f];
            }
            let below = bent.lane(f.saturating_sub(1));
            self.add_gradients(call, Share { f, sign: -R::ONE, bar: to, x: back.to.lane(f), below, sum_bar });
        }
        Some(OK)
    }
}

// ---- what the plugin offers: both precisions, registered by hand ----------------------------------------------------

static OPTIONS: [ModuleOption; 1] = [ModuleOption {
    struct_size: size::<ModuleOption>(),
    kind: NUMBER,
    name: text("scale\0"),
    default_json: text("1\0"),
    minimum: 1e-3,
    maximum: 1e3,
    choices: std::ptr::null(),
    summary: text("where the scales start\0"),
}];
static OPS_F32: LayerOps = ops::<f32, Stair>();
static OPS_F64: LayerOps = ops::<f64, Stair>();
static STAIR_F32: Module = layer::<f32, Stair>(&OPS_F32, &OPTIONS);
static STAIR_F64: Module = layer::<f64, Stair>(&OPS_F64, &OPTIONS);

extern "C" fn module_count() -> i32 {
    1
}

extern "C" fn module_at(index: i32, precision: i32) -> *const Module {
    match (index, precision) {
        (0, F32) => &STAIR_F32,
        (0, F64) => &STAIR_F64,
        _ => std::ptr::null(),
    }
}

static ROOT: Root = Root {
    magic: abi::MAGIC,
    struct_size: size::<Root>(),
    abi_major: 1,
    abi_minor: 0,
    reserved: 0,
    fingerprint: &abi::FINGERPRINT,
    name: text("@NAME@\0"),
    version: text("1.0.0\0"),
    needs: text("libgcc_s.so.1 ld-linux-x86-64.so.2\0"), // of Rust's standard library; `readelf -d` lists them
    module_count,
    module: module_at,
    extension: std::ptr::null(),
};

/// The one symbol that the host looks for.
#[no_mangle]
pub extern "C" fn weir_plugin() -> *const Root {
    &ROOT
}
