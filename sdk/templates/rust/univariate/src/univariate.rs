//! From a formula to the calls of a univariate, in either precision.

use crate::abi::{size, Builder, Frame, Module, Status, Tile, UnivariateOps, OK, UNIVARIATE};
use crate::call::{guard, Call, Lanes, Real};
use crate::module::{self, Texts};
use std::os::raw::c_void;

/// y = u(x; p) and its derivatives at one x.
pub struct Point<R, const N: usize> {
    pub y: R,
    /// du/dx: never 0, of one sign for all x and p
    pub slope: R,
    /// d2u/dx2
    pub curve: R,
    /// du/dp
    pub y_by: [R; N],
    /// d2u/dx dp
    pub slope_by: [R; N],
}

/// A univariate with N parameters per element.
pub trait Univariate<const N: usize> {
    const TEXTS: Texts;
    /// The parameters that make it the identity, or nearly so.
    const IDENTITY: [f64; N];
    fn at<R: Real>(x: R, p: &[R; N]) -> Point<R, N>;
    /// The x with u(x; p) = y.
    fn solve<R: Real>(y: R, p: &[R; N]) -> R;
}

/// The lanes of a call; params has none when N is 0.
struct Tiles<'a, R> {
    from: Lanes<'a, R>,
    params: Option<Lanes<'a, R>>,
    to: Lanes<'a, R>,
}

impl<'a, R: Real> Tiles<'a, R> {
    unsafe fn new(from: *const Tile, params: *const Tile, to: *const Tile) -> Option<Self> {
        Some(Tiles { from: Lanes::new(from)?, params: Lanes::new(params), to: Lanes::new(to)? })
    }

    fn own<const N: usize>(&self, feature: usize, row: usize) -> [R; N] {
        let mut p = [R::ZERO; N];
        for (k, value) in p.iter_mut().enumerate() {
            *value = self.params.as_ref().map_or(R::ZERO, |lanes| lanes.lane(feature * N + k)[row]);
        }
        p
    }
}

/// Adds sign * log|slope| and marks the rows without a finite answer.
fn finish<R: Real>(call: &Call<R>, sign: R, slope: &mut [R], out: &[R], log_det: Option<&mut [R]>) -> Status {
    call.log_in_place(slope);
    if let Some(sum) = log_det {
        for (l, s) in sum.iter_mut().zip(slope.iter()) {
            *l += sign * *s;
        }
    }
    call.discard_unless_finite(out).max(call.discard_unless_finite(slope))
}

unsafe extern "C" fn forward<R: Real, U: Univariate<N>, const N: usize>(
    _: *const c_void,
    frame: *mut Frame,
    x: *const Tile,
    params: *const Tile,
    y: *const Tile,
    log_det: *mut c_void,
) -> Status {
    let call = Call::<R>::new(frame);
    let run = || {
        let tiles = Tiles::<R>::new(x, params, y)?;
        let slope = call.take(1)?.lane_mut(0);
        let mut status = OK;
        for f in 0..tiles.from.features {
            let (x, y) = (tiles.from.lane(f), tiles.to.lane_mut(f));
            for i in 0..call.width() {
                let at = U::at(x[i], &tiles.own(f, i));
                y[i] = at.y;
                slope[i] = at.slope.abs();
            }
            status = status.max(finish(&call, R::ONE, slope, y, call.lane_mut(log_det)));
        }
        Some(status)
    };
    guard(run, |text| call.fail(text))
}

unsafe extern "C" fn inverse<R: Real, U: Univariate<N>, const N: usize>(
    _: *const c_void,
    frame: *mut Frame,
    y: *const Tile,
    params: *const Tile,
    x: *const Tile,
    log_det: *mut c_void,
) -> Status {
    let call = Call::<R>::new(frame);
    let run = || {
        let tiles = Tiles::<R>::new(y, params, x)?;
        let slope = call.take(1)?.lane_mut(0);
        let mut status = OK;
        for f in 0..tiles.from.features {
            let (y, x) = (tiles.from.lane(f), tiles.to.lane_mut(f));
            for i in 0..call.width() {
                let p = tiles.own(f, i);
                x[i] = U::solve(y[i], &p);
                slope[i] = U::at(x[i], &p).slope.abs();
            }
            status = status.max(finish(&call, -R::ONE, slope, x, call.lane_mut(log_det)));
        }
        Some(status)
    };
    guard(run, |text| call.fail(text))
}

/// Both VJPs start from x. With l = log|slope|: forward, x_bar = y_bar slope + l_bar curve / slope and
/// p_bar = y_bar dy/dp + l_bar dslope/dp / slope; inverse, y_bar = (x_bar - l_bar curve / slope) / slope, and the
/// parameters get what forward gives them for the cotangents (-y_bar, -l_bar).
#[allow(clippy::too_many_arguments)]
unsafe fn pull<R: Real, U: Univariate<N>, const N: usize>(
    inverse: bool,
    frame: *mut Frame,
    x: *const Tile,
    params: *const Tile,
    out_bar: *const Tile,
    log_det_bar: *const c_void,
    in_bar: *const Tile,
    params_bar: *const Tile,
) -> Status {
    let call = Call::<R>::new(frame);
    let run = || {
        let tiles = Tiles::<R>::new(x, params, out_bar)?;
        let (l_bar, in_bar, params_bar) = (call.lane(log_det_bar), Lanes::new(in_bar), Lanes::<R>::new(params_bar));
        for f in 0..tiles.from.features {
            let (x, out_bar) = (tiles.from.lane(f), tiles.to.lane(f));
            for i in 0..call.width() {
                let at = U::at(x[i], &tiles.own(f, i));
                let through = l_bar.map_or(R::ZERO, |lane| lane[i]) / at.slope;
                let (into, by_y, by_slope) = if inverse {
                    let into = (out_bar[i] - through * at.curve) / at.slope;
                    (into, -into, -through)
                } else {
                    (out_bar[i] * at.slope + through * at.curve, out_bar[i], through)
                };
                if let Some(lanes) = &in_bar {
                    lanes.lane_mut(f)[i] = into;
                }
                for k in 0..N {
                    if let Some(lanes) = &params_bar {
                        lanes.lane_mut(f * N + k)[i] = by_y * at.y_by[k] + by_slope * at.slope_by[k];
                    }
                }
            }
        }
        Some(OK)
    };
    guard(run, |text| call.fail(text))
}

unsafe extern "C" fn forward_vjp<R: Real, U: Univariate<N>, const N: usize>(
    _: *const c_void,
    frame: *mut Frame,
    x: *const Tile,
    params: *const Tile,
    _: *const Tile,
    y_bar: *const Tile,
    log_det_bar: *const c_void,
    x_bar: *const Tile,
    params_bar: *const Tile,
) -> Status {
    pull::<R, U, N>(false, frame, x, params, y_bar, log_det_bar, x_bar, params_bar)
}

unsafe extern "C" fn inverse_vjp<R: Real, U: Univariate<N>, const N: usize>(
    _: *const c_void,
    frame: *mut Frame,
    _: *const Tile,
    params: *const Tile,
    x: *const Tile,
    x_bar: *const Tile,
    log_det_bar: *const c_void,
    y_bar: *const Tile,
    params_bar: *const Tile,
) -> Status {
    pull::<R, U, N>(true, frame, x, params, x_bar, log_det_bar, y_bar, params_bar)
}

/// All that an instance would hold is in the type: it has no memory of its own.
unsafe extern "C" fn create<U: Univariate<N>, const N: usize>(
    build: *mut Builder,
    made: *mut *mut c_void,
) -> Status {
    module::create(build, made, |build| {
        build.params(&U::IDENTITY);
        Ok(())
    })
}

pub const fn ops<R: Real, U: Univariate<N>, const N: usize>() -> UnivariateOps {
    UnivariateOps {
        struct_size: size::<UnivariateOps>(),
        reserved: 0,
        forward: forward::<R, U, N>,
        inverse: Some(inverse::<R, U, N>),
        forward_vjp: Some(forward_vjp::<R, U, N>),
        inverse_vjp: Some(inverse_vjp::<R, U, N>),
    }
}

/// The descriptor in the precision R, whose `ops` were made for the same.
pub const fn univariate<R: Real, U: Univariate<N>, const N: usize>(ops: &'static UnivariateOps) -> Module {
    let ops = ops as *const UnivariateOps as *const c_void;
    module::descriptor::<R, ()>(UNIVARIATE, &U::TEXTS, &[], create::<U, N>, None, ops)
}
