! The mathematics of @ID@, over the rows of one feature. This file is compiled twice, with WEIR_REAL 32 and 64.
!
! z_0 = a_0 x_0,  z_f = a_f x_f + w_f tanh(x_(f-1)); log|det J| = sum log a_f. The inverse goes up the stairs, x_0 first.
!
! Why there is a C file beside it: what crosses the border is a constant table of function pointers, and Fortran cannot
! make one, for c_funloc is no constant expression. So the table and the memory of a call are C, and what computes is here.
!
! Rules for what the host calls: no allocation (an array whose size is an argument is one: use loops and scalars), no
! input and output, no SAVE and no module variables that change, for many threads call at once. STOP, ERROR STOP and a
! failing run-time check end the host's process, and no plugin can prevent it: leave a NaN, and the row is discarded.
module stair_kernel
  use, intrinsic :: iso_c_binding, only: c_int32_t, c_float, c_double
  implicit none
  private
  public :: stair_up, stair_down, stair_pull, stair_solve, stair_sums

#if WEIR_REAL == 32
  integer, parameter :: wp = c_float
  character(*), parameter :: precision = "_f32"
#else
  integer, parameter :: wp = c_double
  character(*), parameter :: precision = "_f64"
#endif

contains

  ! z = a x + w below, with below the tanh of the feature before.
  pure subroutine stair_up(n, a, w, x, below, z) bind(C, name="stair_up"//precision)
    integer(c_int32_t), value :: n
    real(wp), value :: a, w
    real(wp), intent(in) :: x(n), below(n)
    real(wp), intent(out) :: z(n)
    integer(c_int32_t) :: i
    do i = 1, n
      z(i) = a * x(i) + w * below(i)
    end do
  end subroutine

  ! And back.
  pure subroutine stair_down(n, a, w, z, below, x) bind(C, name="stair_down"//precision)
    integer(c_int32_t), value :: n
    real(wp), value :: a, w
    real(wp), intent(in) :: z(n), below(n)
    real(wp), intent(out) :: x(n)
    integer(c_int32_t) :: i
    do i = 1, n
      x(i) = (z(i) - w * below(i)) / a
    end do
  end subroutine

  ! x_bar = a bar + w above (1 - own^2): x reaches its own z, and that of the feature above through tanh.
  pure subroutine stair_pull(n, a, w, bar, above, own, x_bar) bind(C, name="stair_pull"//precision)
    integer(c_int32_t), value :: n
    real(wp), value :: a, w
    real(wp), intent(in) :: bar(n), above(n), own(n)
    real(wp), intent(out) :: x_bar(n)
    integer(c_int32_t) :: i
    do i = 1, n
      x_bar(i) = a * bar(i) + w * above(i) * (1 - own(i)**2)
    end do
  end subroutine

  ! The z_bar whose stair_pull is bar.
  pure subroutine stair_solve(n, a, w, bar, above, own, z_bar) bind(C, name="stair_solve"//precision)
    integer(c_int32_t), value :: n
    real(wp), value :: a, w
    real(wp), intent(in) :: bar(n), above(n), own(n)
    real(wp), intent(out) :: z_bar(n)
    integer(c_int32_t) :: i
    do i = 1, n
      z_bar(i) = (bar(i) - w * above(i) * (1 - own(i)**2)) / a
    end do
  end subroutine

  ! Sums over the rows: along = bar . x, pushed = bar . below.
  pure subroutine stair_sums(rows, bar, x, below, along, pushed) bind(C, name="stair_sums"//precision)
    integer(c_int32_t), value :: rows
    real(wp), intent(in) :: bar(rows), x(rows), below(rows)
    real(wp), intent(out) :: along, pushed
    along = dot_product(bar, x)
    pushed = dot_product(bar, below)
  end subroutine

end module
