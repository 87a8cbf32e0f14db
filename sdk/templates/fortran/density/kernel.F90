! The mathematics of @ID@, over the rows of one feature. This file is compiled twice, with WEIR_REAL 32 and 64.
!
! log p(z) = sum over features of -w - exp(-w) - s, w = (z - m) exp(-s). Samples: z = m - exp(s) log(-log u).
!
! Why there is a C file beside it: what crosses the border is a constant table of function pointers, and Fortran cannot
! make one, for c_funloc is no constant expression. So the table and the memory of a call are C, and what computes is here.
!
! Rules for what the host calls: no allocation (an array whose size is an argument is one: use loops and scalars), no
! input and output, no SAVE and no module variables that change, for many threads call at once. STOP, ERROR STOP and a
! failing run-time check end the host's process, and no plugin can prevent it: leave a NaN, and the row is discarded.
module gumbel_kernel
  use, intrinsic :: iso_c_binding, only: c_int32_t, c_float, c_double
  implicit none
  private
  public :: gumbel_standard, gumbel_add, gumbel_pull, gumbel_sums, gumbel_draw, gumbel_stretch

#if WEIR_REAL == 32
  integer, parameter :: wp = c_float
  character(*), parameter :: precision = "_f32"
#else
  integer, parameter :: wp = c_double
  character(*), parameter :: precision = "_f64"
#endif

contains

  ! w = (z - m) exp(-s) and tail = exp(-w).
  pure subroutine gumbel_standard(n, m, s, z, w, tail) bind(C, name="gumbel_standard"//precision)
    integer(c_int32_t), value :: n
    real(wp), value :: m, s
    real(wp), intent(in) :: z(n)
    real(wp), intent(out) :: w(n), tail(n)
    integer(c_int32_t) :: i
    do i = 1, n
      w(i) = (z(i) - m) * exp(-s)
      tail(i) = exp(-w(i))
    end do
  end subroutine

  ! total = total - w - exp(-w) - s
  pure subroutine gumbel_add(n, s, w, tail, total) bind(C, name="gumbel_add"//precision)
    integer(c_int32_t), value :: n
    real(wp), value :: s
    real(wp), intent(in) :: w(n), tail(n)
    real(wp), intent(inout) :: total(n)
    integer(c_int32_t) :: i
    do i = 1, n
      total(i) = total(i) - (w(i) + tail(i) + s)
    end do
  end subroutine

  ! z_bar = bar d log p / dz, by way of d log p / dw = exp(-w) - 1.
  pure subroutine gumbel_pull(n, s, bar, tail, z_bar) bind(C, name="gumbel_pull"//precision)
    integer(c_int32_t), value :: n
    real(wp), value :: s
    real(wp), intent(in) :: bar(n), tail(n)
    real(wp), intent(out) :: z_bar(n)
    integer(c_int32_t) :: i
    do i = 1, n
      z_bar(i) = bar(i) * (tail(i) - 1) * exp(-s)
    end do
  end subroutine

  ! Sums over the rows: moved = bar . d log p / dm, stretched = bar . d log p / ds.
  pure subroutine gumbel_sums(rows, s, bar, w, tail, moved, stretched) bind(C, name="gumbel_sums"//precision)
    integer(c_int32_t), value :: rows
    real(wp), value :: s
    real(wp), intent(in) :: bar(rows), w(rows), tail(rows)
    real(wp), intent(out) :: moved, stretched
    integer(c_int32_t) :: i
    moved = 0
    stretched = 0
    do i = 1, rows
      moved = moved + bar(i) * (1 - tail(i)) * exp(-s)
      stretched = stretched + bar(i) * ((1 - tail(i)) * w(i) - 1)
    end do
  end subroutine

  ! z holds numbers on (0, 1); then z = m - exp(s) log(-log z).
  pure subroutine gumbel_draw(n, m, s, z) bind(C, name="gumbel_draw"//precision)
    integer(c_int32_t), value :: n
    real(wp), value :: m, s
    real(wp), intent(inout) :: z(n)
    integer(c_int32_t) :: i
    do i = 1, n
      z(i) = m - exp(s) * log(-log(z(i)))
    end do
  end subroutine

  ! Through a sample dz/ds = z - m: stretched = bar . (z - m), over the rows.
  pure subroutine gumbel_stretch(rows, m, bar, z, stretched) bind(C, name="gumbel_stretch"//precision)
    integer(c_int32_t), value :: rows
    real(wp), value :: m
    real(wp), intent(in) :: bar(rows), z(rows)
    real(wp), intent(out) :: stretched
    integer(c_int32_t) :: i
    stretched = 0
    do i = 1, rows
      stretched = stretched + bar(i) * (z(i) - m)
    end do
  end subroutine

end module
