//! @ID@ - a network with one hidden layer of gated units, made of the host's linear objects.
//!
//! y = O (tanh(a) * sigmoid(g)) + c with (a, g) = W x + V context + b, each of `units` entries.
//!
//! Your mathematics is here. abi.rs holds the structs of the interface, call.rs what a call may use, module.rs what create
//! may, and network.rs makes the interface's calls of a type that is a Network.

mod abi;
mod call;
mod module;
mod network;

use abi::{size, text, Handle, Module, ModuleOption, NetworkOps, Root, Status, F32, F64, INTEGER, LINEAR_ADD, OK};
use call::{Call, Lanes, Real};
use module::{Build, Start, Texts};
use network::{network, ops, Network};

struct Gated {
    units: usize,
    inner: Handle,           // linear object: x into 2 x units
    outer: Handle,           // units into y
    context: Option<Handle>, // the context into the same 2 x units, when the model has one
}

impl Gated {
    /// h = tanh(a) * sigmoid(g), from the lanes that hold both factors.
    fn gate<'a, R: Real>(&self, call: &Call<'a, R>, factors: &Lanes<R>) -> Option<Lanes<'a, R>> {
        let h = call.take(self.units)?;
        for u in 0..self.units {
            let (bent, open, out) = (factors.lane(u), factors.lane(self.units + u), h.lane_mut(u));
            for i in 0..out.len() {
                out[i] = bent[i] * open[i];
            }
        }
        Some(h)
    }

    /// The cotangents of a and g.
    fn gate_vjp<'a, R: Real>(&self, call: &Call<'a, R>, factors: &Lanes<R>, h_bar: &Lanes<R>) -> Option<Lanes<'a, R>> {
        let bar = call.take(2 * self.units)?;
        for u in 0..self.units {
            let (bent, open, from) = (factors.lane(u), factors.lane(self.units + u), h_bar.lane(u));
            let (by_a, by_g) = (bar.lane_mut(u), bar.lane_mut(self.units + u));
            for i in 0..from.len() {
                by_a[i] = from[i] * open[i] * (R::ONE - bent[i] * bent[i]);
                by_g[i] = from[i] * bent[i] * open[i] * (R::ONE - open[i]);
            }
        }
        Some(bar)
    }
}

impl Network for Gated {
    const TEXTS: Texts = Texts {
        id: "@ID@\0",
        version: "1.0.0\0",
        summary: "one hidden layer of gated units\0",
        doc: "\
y = O (tanh(a) * sigmoid(g)) + c with (a, g) = W x + V context + b, each of `units` entries; V is there only when the
model has a context. Tensors: inner.weight [2 units, inputs], inner.bias, context.weight [2 units, context features],
outer.weight [outputs, units], outer.bias.
Start: W, V, b uniform on +-1/sqrt(inputs and context features); O zero and c the bias that the parent asked for, so
that a model starts at the identity. Refused: autoregressive use.\0",
    };

    fn create(build: &mut Build) -> Result<Self, String> {
        let spec = build.network().ok_or("a network needs a parent that asks for one")?;
        if spec.autoregressive != 0 {
            return Err("@ID@ mixes all features: give an autoregressive layer the network \"made\"".into());
        }
        let (inputs, outputs, context) = (spec.r#in as usize, spec.out as usize, build.context());
        let units = build.integer("units")? as usize;
        let bound = 1.0 / ((inputs + context).max(1) as f64).sqrt();
        let start = || Start::Within(bound);
        Ok(Gated {
            units,
            inner: build.linear("inner", inputs, 2 * units, start(), Some(start()))?,
            context: match context {
                0 => None,
                _ => Some(build.linear("context", context, 2 * units, start(), None)?),
            },
            outer: build.linear("outer", units, outputs, Start::At(0.0), Some(build.output_start()))?,
        })
    }

    /// The tape keeps both factors of every unit; all else follows from them.
    fn forward<R: Real>(&self, call: &Call<R>, x: Lanes<R>, y: Lanes<R>) -> Option<Status> {
        let factors = call.keep(2 * self.units)?;
        let mut add = 0;
        if let (Some(context), Some(given)) = (self.context, call.context()) {
            call.linear(context, &given, &factors, 0)?;
            add = LINEAR_ADD;
        }
        call.linear(self.inner, &x, &factors, add)?;
        for u in 0..self.units {
            call.tanh_in_place(factors.lane_mut(u));
            call.sigmoid_in_place(factors.lane_mut(self.units + u));
        }
        call.linear(self.outer, &self.gate(call, &factors)?, &y, 0)
    }

    fn vjp<R: Real>(&self, call: &Call<R>, x: Lanes<R>, y_bar: Lanes<R>, x_bar: Option<Lanes<R>>) -> Option<Status> {
        let factors = call.pop(2 * self.units)?;
        let (h, h_bar) = (self.gate(call, &factors)?, call.take(self.units)?);
        call.linear_vjp_weights(self.outer, &h, &y_bar)?;
        call.linear_vjp_input(self.outer, &y_bar, &h_bar, 0)?;
        let bar = self.gate_vjp(call, &factors, &h_bar)?;
        call.linear_vjp_weights(self.inner, &x, &bar)?;
        if let (Some(context), Some(given)) = (self.context, call.context()) {
            call.linear_vjp_weights(context, &given, &bar)?;
            if let Some(context_bar) = call.context_bar() {
                call.linear_vjp_input(context, &bar, &context_bar, LINEAR_ADD)?;
            }
        }
        match x_bar {
            Some(lanes) if lanes.features > 0 => call.linear_vjp_input(self.inner, &bar, &lanes, 0),
            _ => Some(OK),
        }
    }
}

// ---- what the plugin offers: both precisions, registered by hand ----------------------------------------------------

static OPTIONS: [ModuleOption; 1] = [ModuleOption {
    struct_size: size::<ModuleOption>(),
    kind: INTEGER,
    name: text("units\0"),
    default_json: text("64\0"),
    minimum: 1.0,
    maximum: 65536.0,
    choices: std::ptr::null(),
    summary: text("number of gated units\0"),
}];
static OPS_F32: NetworkOps = ops::<f32, Gated>();
static OPS_F64: NetworkOps = ops::<f64, Gated>();
static GATED_F32: Module = network::<f32, Gated>(&OPS_F32, &OPTIONS);
static GATED_F64: Module = network::<f64, Gated>(&OPS_F64, &OPTIONS);

extern "C" fn module_count() -> i32 {
    1
}

extern "C" fn module_at(index: i32, precision: i32) -> *const Module {
    match (index, precision) {
        (0, F32) => &GATED_F32,
        (0, F64) => &GATED_F64,
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
