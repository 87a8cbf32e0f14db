! The mathematics of @ID@, over the rows of one unit. This file is compiled twice, with WEIR_REAL 32 and 64.
!
! y = O (tanh(a) * sigmoid(g)) + c with (a, g) = W x + V context + b. The host does the matrix products.
!
! Why there is a C file beside it: what crosses the border is a constant table of function pointers, and Fortran cannot
! make one, for c_funloc is no constant expression. So the table and the memory of a call are C, and what computes is here.
!
! Rules for what the host calls: no allocation (an array whose size is an argument is one: use loops and scalars), no
! input and output, no SAVE and no module variables that change, for many threads call at once. STOP, ERROR STOP and a
! failing run-time check end the host's process, and no plugin can prevent it: leave a NaN, and the row is discarded.
module gated_kernel
  use, intrinsic :: iso_c_binding, only: c_int32_t, c_float, c_double
  implicit none
  private
  public :: gated_gate, gated_gate_vjp

#if WEIR_REAL == 32
  integer, parameter :: wp = c_float
  character(*), parameter :: precision = "_f32"
#else
  integer, parameter :: wp = c_double
  character(*), parameter :: precision = "_f64"
#endif

contains

  ! h = bent open, with bent = tanh(a) and open = sigmoid(g).
  pure subroutine gated_gate(n, bent, open, h) bind(C, name="gated_gate"//precision)
    integer(c_int32_t), value :: n
    real(wp), intent(in) :: bent(n), open(n)
    real(wp), intent(out) :: h(n)
    integer(c_int32_t) :: i
    do i = 1, n
      h(i) = bent(i) * open(i)
    end do
  end subroutine

  ! The cotangents of a and g.
  pure subroutine gated_gate_vjp(n, bent, open, h_bar, a_bar, g_bar) bind(C, name="gated_gate_vjp"//precision)
    integer(c_int32_t), value :: n
    real(wp), intent(in) :: bent(n), open(n), h_bar(n)
    real(wp), intent(out) :: a_bar(n), g_bar(n)
    integer(c_int32_t) :: i
    do i = 1, n
      a_bar(i) = h_bar(i) * open(i) * (1 - bent(i)**2)
      g_bar(i) = h_bar(i) * bent(i) * open(i) * (1 - open(i))
    end do
  end subroutine

end module
