//! From a Rust type to the calls of a density, in either precision.

use crate::abi::{size, Builder, DensityOps, Frame, Module, ModuleOption, Status, Tile, DENSITY};
use crate::call::{guard, Call, Lanes, Real};
use crate::module::{self, Build, Texts};
use std::os::raw::c_void;

/// A density: an instance is made once, and after that only read, by any number of threads. None as an answer stands for
/// memory that is exhausted.
pub trait Density: Sized + Sync {
    const TEXTS: Texts;

    /// Declares the tensors; an Err is what the user reads.
    fn create(build: &mut Build) -> Result<Self, String>;
    /// log p(z) is added to log_p; -infinity outside the support.
    fn log_density<R: Real>(&self, call: &Call<R>, z: Lanes<R>, log_p: &mut [R]) -> Option<Status>;
    /// z_bar is overwritten, gradients are added to.
    fn vjp<R: Real>(
        &self,
        call: &Call<R>,
        z: Lanes<R>,
        log_p_bar: &[R],
        z_bar: Option<Lanes<R>>,
    ) -> Option<Status>;
    fn sample<R: Real>(&self, call: &Call<R>, z: Lanes<R>) -> Option<Status>;
    /// The gradients of parameters through a sample, given z_bar.
    fn sample_vjp<R: Real>(&self, call: &Call<R>, z: Lanes<R>, z_bar: Lanes<R>) -> Option<Status>;
}

unsafe extern "C" fn create<D: Density>(build: *mut Builder, made: *mut *mut c_void) -> Status {
    module::create(build, made, D::create)
}

unsafe extern "C" fn log_density<R: Real, D: Density>(
    module: *const c_void,
    frame: *mut Frame,
    z: *const Tile,
    log_p: *mut c_void,
) -> Status {
    let call = Call::<R>::new(frame);
    let run = || (*(module as *const D)).log_density(&call, Lanes::new(z)?, call.lane_mut(log_p)?);
    guard(run, |text| call.fail(text))
}

unsafe extern "C" fn vjp<R: Real, D: Density>(
    module: *const c_void,
    frame: *mut Frame,
    z: *const Tile,
    log_p_bar: *const c_void,
    z_bar: *const Tile,
) -> Status {
    let call = Call::<R>::new(frame);
    let run =
        || (*(module as *const D)).vjp(&call, Lanes::new(z)?, call.lane(log_p_bar)?, Lanes::new(z_bar));
    guard(run, |text| call.fail(text))
}

unsafe extern "C" fn sample<R: Real, D: Density>(
    module: *const c_void,
    frame: *mut Frame,
    z: *const Tile,
) -> Status {
    let call = Call::<R>::new(frame);
    let run = || (*(module as *const D)).sample(&call, Lanes::new(z)?);
    guard(run, |text| call.fail(text))
}

unsafe extern "C" fn sample_vjp<R: Real, D: Density>(
    module: *const c_void,
    frame: *mut Frame,
    z: *const Tile,
    z_bar: *const Tile,
) -> Status {
    let call = Call::<R>::new(frame);
    let run = || (*(module as *const D)).sample_vjp(&call, Lanes::new(z)?, Lanes::new(z_bar)?);
    guard(run, |text| call.fail(text))
}

pub const fn ops<R: Real, D: Density>() -> DensityOps {
    DensityOps {
        struct_size: size::<DensityOps>(),
        reserved: 0,
        log_density: log_density::<R, D>,
        vjp: vjp::<R, D>,
        sample: Some(sample::<R, D>),
        sample_vjp: Some(sample_vjp::<R, D>),
    }
}

/// The descriptor in the precision R, whose `ops` were made for the same.
pub const fn density<R: Real, D: Density>(ops: &'static DensityOps, options: &'static [ModuleOption]) -> Module {
    let ops = ops as *const DensityOps as *const c_void;
    module::descriptor::<R, D>(DENSITY, &D::TEXTS, options, create::<D>, None, ops)
}
