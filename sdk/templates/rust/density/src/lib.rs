//! @ID@ - independent Gumbel features: what the largest of many values is distributed like.
//!
//! log p(z) = sum over features of -w - exp(-w) - s, w = (z - m) exp(-s). Samples: z = m - exp(s) log(-log u).
//!
//! Your mathematics is here. abi.rs holds the structs of the interface, call.rs what a call may use, module.rs what create
//! may, and density.rs makes the interface's calls of a type that is a Density.

mod abi;
mod call;
mod density;
mod module;

use abi::{size, text, DensityOps, Handle, Module, ModuleOption, Root, Status, F32, F64, NO_DECAY, NUMBER, OK};
use call::{Call, Lanes, Real};
use density::{density, ops, Density};
use module::{Build, Texts};

struct Gumbel {
    features: usize,
    stream: u32,       // key of this module's random numbers
    location: Handle,  // parameters [features]
    log_scale: Handle,
}

impl Gumbel {
    fn location<'a, R: Real>(&self, call: &Call<'a, R>) -> &'a [R] {
        call.tensor(self.location, self.features)
    }

    fn log_scale<'a, R: Real>(&self, call: &Call<'a, R>) -> &'a [R] {
        call.tensor(self.log_scale, self.features)
    }

    /// w = (z - m) exp(-s) and exp(-w) of feature f, in scratch.
    fn standard<'a, R: Real>(&self, call: &Call<'a, R>, z: &Lanes<R>, f: usize) -> Option<(&'a [R], &'a [R])> {
        let (m, shrink) = (self.location(call)[f], (-self.log_scale(call)[f]).exp());
        let (lane, scratch) = (z.lane(f), call.take(2)?);
        let (w, tail) = (scratch.lane_mut(0), scratch.lane_mut(1));
        for i in 0..lane.len() {
            w[i] = (lane[i] - m) * shrink;
            tail[i] = -w[i];
        }
        call.exp_in_place(tail);
        Some((w, tail))
    }
}

impl Density for Gumbel {
    const TEXTS: Texts = Texts {
        id: "@ID@\0",
        version: "1.0.0\0",
        summary: "independent Gumbel features with learned locations and scales\0",
        doc: "\
log p(z) = sum over features of -w - exp(-w) - s, w = (z - m) exp(-s). Parameters: location [features] = m,
log_scale [features] = s; s starts at 0, m at what the option says.
Samples: z = m - exp(s) log(-log u), u uniform on (0, 1); gradients reach the parameters through them too.
Far to the left exp(-w) overflows: the density is 0 to rounding and its logarithm -infinity. NaN is discarded.
Source: Gumbel 1935, \"Les valeurs extremes des distributions statistiques\".\0",
    };

    fn create(build: &mut Build) -> Result<Self, String> {
        let (features, start) = (build.features(), build.number("location")?);
        Ok(Gumbel {
            features,
            stream: build.stream(),
            location: build.parameter("location", features, start, NO_DECAY)?,
            log_scale: build.parameter("log_scale", features, 0.0, NO_DECAY)?,
        })
    }

    fn log_density<R: Real>(&self, call: &Call<R>, z: Lanes<R>, log_p: &mut [R]) -> Option<Status> {
        let total = call.take(1)?.lane_mut(0);
        total.fill(R::ZERO);
        for f in 0..self.features {
            let (w, tail) = self.standard(call, &z, f)?;
            let s = self.log_scale(call)[f];
            for i in 0..total.len() {
                total[i] += -(w[i] + tail[i] + s);
            }
        }
        for i in 0..total.len() {
            log_p[i] += total[i];
        }
        Some(call.discard_nan(total))
    }

    /// d log p / dw = exp(-w) - 1.
    fn vjp<R: Real>(
        &self,
        call: &Call<R>,
        z: Lanes<R>,
        log_p_bar: &[R],
        z_bar: Option<Lanes<R>>,
    ) -> Option<Status> {
        for f in 0..self.features {
            let (w, tail) = self.standard(call, &z, f)?;
            let shrink = (-self.log_scale(call)[f]).exp();
            let (mut moved, mut stretched) = (R::ZERO, R::ZERO);
            for r in 0..call.rows() {
                let by_w = log_p_bar[r] * (tail[r] - R::ONE);
                moved += -(by_w * shrink);
                stretched += -(by_w * w[r] + log_p_bar[r]);
            }
            if let Some(by_location) = call.gradient(self.location, self.features) {
                by_location[f] += moved;
            }
            if let Some(by_log_scale) = call.gradient(self.log_scale, self.features) {
                by_log_scale[f] += stretched;
            }
            if let Some(lanes) = &z_bar {
                for (i, to) in lanes.lane_mut(f).iter_mut().enumerate() {
                    *to = log_p_bar[i] * (tail[i] - R::ONE) * shrink;
                }
            }
        }
        Some(OK)
    }

    /// Draw number f of this module's stream: the same row of the same run always draws the same.
    fn sample<R: Real>(&self, call: &Call<R>, z: Lanes<R>) -> Option<Status> {
        for f in 0..self.features {
            let (m, scale, lane) = (self.location(call)[f], self.log_scale(call)[f].exp(), z.lane_mut(f));
            call.random_uniform(self.stream, f, lane);
            call.log_in_place(lane);
            for value in lane.iter_mut() {
                *value = -*value;
            }
            call.log_in_place(lane);
            for value in lane.iter_mut() {
                *value = m - scale * *value;
            }
        }
        Some(OK)
    }

    /// dz/dm = 1 and dz/ds = z - m.
    fn sample_vjp<R: Real>(&self, call: &Call<R>, z: Lanes<R>, z_bar: Lanes<R>) -> Option<Status> {
        for f in 0..self.features {
            let (m, lane, bar) = (self.location(call)[f], z.lane(f), z_bar.lane(f));
            if let Some(by_location) = call.gradient(self.location, self.features) {
                by_location[f] += call.sum(bar);
            }
            if let Some(by_log_scale) = call.gradient(self.log_scale, self.features) {
                for r in 0..call.rows() {
                    by_log_scale[f] += bar[r] * (lane[r] - m);
                }
            }
        }
        Some(OK)
    }
}

// ---- what the plugin offers: both precisions, registered by hand ----------------------------------------------------

static OPTIONS: [ModuleOption; 1] = [ModuleOption {
    struct_size: size::<ModuleOption>(),
    kind: NUMBER,
    name: text("location\0"),
    default_json: text("0\0"),
    minimum: -1e6,
    maximum: 1e6,
    choices: std::ptr::null(),
    summary: text("where the mode of every feature starts\0"),
}];
static OPS_F32: DensityOps = ops::<f32, Gumbel>();
static OPS_F64: DensityOps = ops::<f64, Gumbel>();
static GUMBEL_F32: Module = density::<f32, Gumbel>(&OPS_F32, &OPTIONS);
static GUMBEL_F64: Module = density::<f64, Gumbel>(&OPS_F64, &OPTIONS);

extern "C" fn module_count() -> i32 {
    1
}

extern "C" fn module_at(index: i32, precision: i32) -> *const Module {
    match (index, precision) {
        (0, F32) => &GUMBEL_F32,
        (0, F64) => &GUMBEL_F64,
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
