//! From a Rust type to the calls of a layer, in either precision.

use crate::abi::{size, Builder, Frame, LayerOps, Module, ModuleOption, PrepareCall, Status, Tile, LAYER};
use crate::call::{guard, Call, Lanes, Real};
use crate::module::{self, Build, Texts};
use std::os::raw::c_void;
use std::ptr::null;

/// A layer: an instance is made once, and after that only read, by any number of threads. None as an answer stands for
/// memory that is exhausted.
pub trait Layer: Sized + Sync {
    const TEXTS: Texts;

    /// Declares the tensors; an Err is what the user reads.
    fn create(build: &mut Build) -> Result<Self, String>;
    /// Derived tensors from parameters, once for each update of these.
    fn prepare<R: Real>(&self, call: &Call<R>) -> Option<Status>;
    /// The gradients of derived tensors, complete now, go on to the parameters.
    fn prepare_vjp<R: Real>(&self, call: &Call<R>) -> Option<Status>;
    /// z is overwritten, log_det added to.
    fn forward<R: Real>(&self, call: &Call<R>, x: Lanes<R>, z: Lanes<R>, log_det: Option<&mut [R]>) -> Option<Status>;
    fn inverse<R: Real>(&self, call: &Call<R>, z: Lanes<R>, x: Lanes<R>, log_det: Option<&mut [R]>) -> Option<Status>;
    /// x_bar is overwritten, gradients are added to.
    fn forward_vjp<R: Real>(&self, call: &Call<R>, back: Back<R>) -> Option<Status>;
    fn inverse_vjp<R: Real>(&self, call: &Call<R>, back: Back<R>) -> Option<Status>;
}

/// What a VJP gets: input and output of the call it belongs to, the cotangents of the output and of the log-det, and where
/// that of the input goes, if anybody wants it.
pub struct Back<'a, R> {
    pub from: Lanes<'a, R>,
    pub to: Lanes<'a, R>,
    pub to_bar: Lanes<'a, R>,
    pub log_det_bar: Option<&'a [R]>,
    pub from_bar: Option<Lanes<'a, R>>,
}

unsafe extern "C" fn create<L: Layer>(build: *mut Builder, made: *mut *mut c_void) -> Status {
    module::create(build, made, L::create)
}

unsafe extern "C" fn prepare<R: Real, L: Layer>(module: *const c_void, frame: *mut Frame) -> Status {
    let call = Call::<R>::new(frame);
    guard(|| (*(module as *const L)).prepare(&call), |text| call.fail(text))
}

unsafe extern "C" fn prepare_vjp<R: Real, L: Layer>(module: *const c_void, frame: *mut Frame) -> Status {
    let call = Call::<R>::new(frame);
    guard(|| (*(module as *const L)).prepare_vjp(&call), |text| call.fail(text))
}

unsafe extern "C" fn forward<R: Real, L: Layer>(
    module: *const c_void,
    frame: *mut Frame,
    x: *const Tile,
    z: *const Tile,
    log_det: *mut c_void,
) -> Status {
    let call = Call::<R>::new(frame);
    let run = || (*(module as *const L)).forward(&call, Lanes::new(x)?, Lanes::new(z)?, call.lane_mut(log_det));
    guard(run, |text| call.fail(text))
}

unsafe extern "C" fn inverse<R: Real, L: Layer>(
    module: *const c_void,
    frame: *mut Frame,
    z: *const Tile,
    x: *const Tile,
    log_det: *mut c_void,
) -> Status {
    let call = Call::<R>::new(frame);
    let run = || (*(module as *const L)).inverse(&call, Lanes::new(z)?, Lanes::new(x)?, call.lane_mut(log_det));
    guard(run, |text| call.fail(text))
}

unsafe fn back<'a, R: Real>(
    call: &Call<'a, R>,
    from: *const Tile,
    to: *const Tile,
    to_bar: *const Tile,
    log_det_bar: *const c_void,
    from_bar: *const Tile,
) -> Option<Back<'a, R>> {
    Some(Back {
        from: Lanes::new(from)?,
        to: Lanes::new(to)?,
        to_bar: Lanes::new(to_bar)?,
        log_det_bar: call.lane(log_det_bar),
        from_bar: Lanes::new(from_bar),
    })
}

unsafe extern "C" fn forward_vjp<R: Real, L: Layer>(
    module: *const c_void,
    frame: *mut Frame,
    x: *const Tile,
    z: *const Tile,
    z_bar: *const Tile,
    log_det_bar: *const c_void,
    x_bar: *const Tile,
) -> Status {
    let call = Call::<R>::new(frame);
    let run = || (*(module as *const L)).forward_vjp(&call, back(&call, x, z, z_bar, log_det_bar, x_bar)?);
    guard(run, |text| call.fail(text))
}

unsafe extern "C" fn inverse_vjp<R: Real, L: Layer>(
    module: *const c_void,
    frame: *mut Frame,
    z: *const Tile,
    x: *const Tile,
    x_bar: *const Tile,
    log_det_bar: *const c_void,
    z_bar: *const Tile,
) -> Status {
    let call = Call::<R>::new(frame);
    let run = || (*(module as *const L)).inverse_vjp(&call, back(&call, z, x, x_bar, log_det_bar, z_bar)?);
    guard(run, |text| call.fail(text))
}

pub const fn ops<R: Real, L: Layer>() -> LayerOps {
    LayerOps {
        struct_size: size::<LayerOps>(),
        reserved: 0,
        forward: forward::<R, L>,
        inverse: Some(inverse::<R, L>),
        forward_vjp: Some(forward_vjp::<R, L>),
        inverse_vjp: Some(inverse_vjp::<R, L>),
        observe_size: null(),
        observe: null(),
        merge: null(),
        observe_finish: null(),
        observe_vjp: null(),
        observe_vjp_finish: null(),
        dual: null(),
        dual_vjp: null(),
        sample_points: null(),
    }
}

/// The descriptor in the precision R, whose `ops` were made for the same.
pub const fn layer<R: Real, L: Layer>(ops: &'static LayerOps, options: &'static [ModuleOption]) -> Module {
    let prepare: (PrepareCall, PrepareCall) = (prepare::<R, L>, prepare_vjp::<R, L>);
    let ops = ops as *const LayerOps as *const c_void;
    module::descriptor::<R, L>(LAYER, &L::TEXTS, options, create::<L>, Some(prepare), ops)
}
