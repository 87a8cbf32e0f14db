//! From a Rust type to the calls of a layer, in either precision.

use crate::abi::{
    size, text, Builder, Frame, Handle, Init, LayerOps, Module, ModuleOption, Status, Tile, INDEXED_OK, INIT_CONSTANT,
    INVALID, LAYER, OK,
};
use crate::call::{guard, Call, Lanes, Real};
use std::ffi::CString;
use std::os::raw::c_void;
use std::ptr::null;

/// A layer: an instance is made once, and after that only read, by any number of threads. None as an answer stands for
/// memory that is exhausted. The texts end in \0.
pub trait Layer: Sized + Sync {
    const ID: &'static str;
    const VERSION: &'static str;
    const SUMMARY: &'static str;
    const DOC: &'static str;

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

/// What a module may ask and declare while it is created.
pub struct Build {
    builder: *mut Builder,
}

impl Build {
    pub fn features(&self) -> usize {
        unsafe { (*self.builder).features as usize }
    }

    /// The value of an option that the table of the module has.
    pub fn number(&mut self, name: &str) -> Result<f64, String> {
        let name = CString::new(name).map_err(|e| e.to_string())?;
        Ok(unsafe { ((*self.builder).number)(self.builder, name.as_ptr()) })
    }

    /// A trained tensor [count] that starts at `start`.
    pub fn parameter(&mut self, name: &str, count: usize, start: f64, flags: u32) -> Result<Handle, String> {
        let name = CString::new(name).map_err(|e| e.to_string())?;
        let init = Init { struct_size: size::<Init>(), kind: INIT_CONSTANT, a: start, b: 0.0, values: null() };
        let dims = [count as i64];
        Ok(unsafe { ((*self.builder).parameter)(self.builder, name.as_ptr(), 1, dims.as_ptr(), &init, flags) })
    }

    /// A tensor [count] that prepare computes.
    pub fn derived(&mut self, name: &str, count: usize) -> Result<Handle, String> {
        let name = CString::new(name).map_err(|e| e.to_string())?;
        let dims = [count as i64];
        Ok(unsafe { ((*self.builder).derived)(self.builder, name.as_ptr(), 1, dims.as_ptr()) })
    }
}

unsafe fn refuse(build: *mut Builder, text: &str) {
    let clean: Vec<u8> = text.bytes().filter(|b| *b != 0).chain([0]).collect();
    ((*build).fail)(build, clean.as_ptr() as *const _);
}

unsafe extern "C" fn create<L: Layer>(build: *mut Builder, made: *mut *mut c_void) -> Status {
    let run = || match L::create(&mut Build { builder: build }) {
        Ok(_) if ((*build).failed)(build) != 0 => Some(INVALID),
        Ok(layer) => {
            *made = Box::into_raw(Box::new(layer)) as *mut c_void;
            Some(OK)
        }
        Err(why) => {
            refuse(build, &why);
            Some(INVALID)
        }
    };
    match guard(run, |text| refuse(build, text)) {
        OK => OK,
        _ => INVALID,
    }
}

unsafe extern "C" fn destroy<L: Layer>(module: *mut c_void) {
    let run = || {
        drop(Box::from_raw(module as *mut L));
        Some(OK)
    };
    guard(run, |_| ());
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
pub const fn module<R: Real, L: Layer>(ops: &'static LayerOps, options: &'static [ModuleOption]) -> Module {
    Module {
        struct_size: size::<Module>(),
        kind: LAYER,
        precision: R::PRECISION,
        flags: INDEXED_OK,
        concurrency: 0,
        reserved: 0,
        id: text(L::ID),
        version: text(L::VERSION),
        summary: text(L::SUMMARY),
        doc: text(L::DOC),
        options: options.as_ptr(),
        option_count: options.len() as i32,
        option_stride: size::<ModuleOption>() as i32,
        slots: null(),
        slot_count: 0,
        slot_stride: 0,
        create: create::<L>,
        destroy: destroy::<L>,
        prepare: Some(prepare::<R, L>),
        prepare_vjp: Some(prepare_vjp::<R, L>),
        ops: ops as *const LayerOps as *const c_void,
        extension: null(),
    }
}
