! The mathematics of @ID@, over the rows of one feature. This file is compiled twice, with WEIR_REAL 32 and 64.
!
! y = x + t sqrt(1 + x^2) + b with t = 0.9 tanh(s); log|dy/dx| = log(1 + t x / sqrt(1 + x^2)).
! Inverse, with u = y - b: x = (u - t sqrt(u^2 + 1 - t^2)) / (1 - t^2).
!
! Why there is a C file beside it: what crosses the border is a constant table of function pointers, and Fortran cannot
! make one, for c_funloc is no constant expression. So the table is C, and all that computes is here.
!
! Rules for what the host calls: no allocation (an array whose size is an argument is one: use loops and scalars), no
! input and output, no SAVE and no module variables that change, for many threads call at once. STOP, ERROR STOP and a
! failing run-time check end the host's process, and no plugin can prevent it: leave a NaN, and the row is discarded.
module bend_kernel
  use, intrinsic :: iso_c_binding, only: c_int32_t, c_float, c_double
  implicit none
  private
  public :: bend_forward, bend_forward_vjp, bend_inverse

#if WEIR_REAL == 32
  integer, parameter :: wp = c_float
  character(*), parameter :: precision = "_f32"
#else
  integer, parameter :: wp = c_double
  character(*), parameter :: precision = "_f64"
#endif

contains

  ! y = x + t sqrt(1 + x^2) + b, t = 0.9 tanh(s); slope = dy/dx.
  pure subroutine bend_forward(n, x, s, b, y, slope) bind(C, name="bend_forward_lane"//precision)
    integer(c_int32_t), value :: n
    real(wp), intent(in) :: x(n), s(n), b(n)
    real(wp), intent(out) :: y(n), slope(n)
    real(wp) :: t, root
    integer(c_int32_t) :: i
    do i = 1, n
      t = 0.9_wp * tanh(s(i))
      root = sqrt(1 + x(i)**2)
      y(i) = x(i) + t * root + b(i)
      slope(i) = 1 + t * (x(i) / root)
    end do
  end subroutine

  ! x = (u - t sqrt(u^2 + 1 - t^2)) / (1 - t^2), u = y - b; slope = dy/dx at that x.
  pure subroutine bend_inverse(n, y, s, b, x, slope) bind(C, name="bend_inverse_lane"//precision)
    integer(c_int32_t), value :: n
    real(wp), intent(in) :: y(n), s(n), b(n)
    real(wp), intent(out) :: x(n), slope(n)
    real(wp) :: t, c, u
    integer(c_int32_t) :: i
    do i = 1, n
      t = 0.9_wp * tanh(s(i))
      c = 1 - t**2
      u = y(i) - b(i)
      x(i) = (u - t * sqrt(u**2 + c)) / c
      slope(i) = 1 + t * (x(i) / sqrt(1 + x(i)**2))
    end do
  end subroutine

  ! The cotangents of x, s and b, from those of y and of log(slope).
  pure subroutine bend_forward_vjp(n, x, s, y_bar, log_det_bar, x_bar, s_bar, b_bar) &
      bind(C, name="bend_forward_vjp_lane"//precision)
    integer(c_int32_t), value :: n
    real(wp), intent(in) :: x(n), s(n), y_bar(n), log_det_bar(n)
    real(wp), intent(out) :: x_bar(n), s_bar(n), b_bar(n)
    real(wp) :: t, t_by_s, root, lean, slope, through
    integer(c_int32_t) :: i
    do i = 1, n
      t = 0.9_wp * tanh(s(i))
      t_by_s = 0.9_wp * (1 - tanh(s(i))**2)
      root = sqrt(1 + x(i)**2)
      lean = x(i) / root
      slope = 1 + t * lean
      through = log_det_bar(i) / slope
      x_bar(i) = y_bar(i) * slope + through * t / root**3
      s_bar(i) = (y_bar(i) * root + through * lean) * t_by_s
      b_bar(i) = y_bar(i)
    end do
  end subroutine

end module
