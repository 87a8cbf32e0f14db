//! From a Rust type to the calls of a network, in either precision.

use crate::abi::{size, Builder, Frame, Module, ModuleOption, NetworkOps, Status, Tile, NETWORK};
use crate::call::{guard, Call, Lanes, Real};
use crate::module::{self, Build, Texts};
use std::os::raw::c_void;
use std::ptr::null;

/// A network: an instance is made once, and after that only read, by any number of threads. None as an answer stands for
/// memory that is exhausted, or for a call of the host that failed.
pub trait Network: Sized + Sync {
    const TEXTS: Texts;

    /// Declares linear objects and tensors; an Err is what the user reads.
    fn create(build: &mut Build) -> Result<Self, String>;
    /// y is overwritten; x may have no features.
    fn forward<R: Real>(&self, call: &Call<R>, x: Lanes<R>, y: Lanes<R>) -> Option<Status>;
    /// x_bar is overwritten, gradients are added to.
    fn vjp<R: Real>(&self, call: &Call<R>, x: Lanes<R>, y_bar: Lanes<R>, x_bar: Option<Lanes<R>>) -> Option<Status>;
}

unsafe extern "C" fn create<N: Network>(build: *mut Builder, made: *mut *mut c_void) -> Status {
    module::create(build, made, N::create)
}

unsafe extern "C" fn forward<R: Real, N: Network>(
    module: *const c_void,
    frame: *mut Frame,
    x: *const Tile,
    y: *const Tile,
) -> Status {
    let call = Call::<R>::new(frame);
    let run = || (*(module as *const N)).forward(&call, Lanes::new(x)?, Lanes::new(y)?);
    guard(run, |text| call.fail(text))
}

unsafe extern "C" fn vjp<R: Real, N: Network>(
    module: *const c_void,
    frame: *mut Frame,
    x: *const Tile,
    _: *const Tile,
    y_bar: *const Tile,
    x_bar: *const Tile,
) -> Status {
    let call = Call::<R>::new(frame);
    let run = || (*(module as *const N)).vjp(&call, Lanes::new(x)?, Lanes::new(y_bar)?, Lanes::new(x_bar));
    guard(run, |text| call.fail(text))
}

pub const fn ops<R: Real, N: Network>() -> NetworkOps {
    NetworkOps {
        struct_size: size::<NetworkOps>(),
        reserved: 0,
        forward: forward::<R, N>,
        vjp: vjp::<R, N>,
        begin: null(),
        step: null(),
        begin_vjp: null(),
        step_vjp: null(),
        end_vjp: null(),
        dual: null(),
        dual_vjp: null(),
    }
}

/// The descriptor in the precision R, whose `ops` were made for the same.
pub const fn network<R: Real, N: Network>(ops: &'static NetworkOps, options: &'static [ModuleOption]) -> Module {
    let ops = ops as *const NetworkOps as *const c_void;
    module::descriptor::<R, N>(NETWORK, &N::TEXTS, options, create::<N>, None, ops)
}
