--- Arrays and random numbers, which are written in C: comments for the pages that docs.sh makes, and no code.
--
-- An array has rows and columns and numbers of one type: "f32", "f64", or integers ("u8", "i32", "i64" and others). A vector is
-- an array of one column. Indices count from 1, and every one is checked: an error names it and what is allowed. The operators
-- + - * / ^ and unary - work element by element, as add, sub, mul, div, pow do; #a is the number of rows; tostring shows the
-- first of them.
--
--     local a = weir.array.from { { 1, 2 }, { 3, 4 } }
--     print((a - a:mean(1)):square():sum())
-- @module weir.array

--- Making arrays
-- @section makers

--- An array of zeros.
-- @function weir.array.new
-- @param dtype string
-- @param rows number
-- @param columns number; nil: a vector
-- @return array

--- An array from a list of numbers (a vector) or a list of rows.
-- @function weir.array.from
-- @param list table; all rows of one length
-- @param dtype string ("f64")
-- @return array; raises an error with row and column of what is no number

--- The array of a .npy, .npz, .csv or IDX file.
-- @function weir.array.load
-- @param path string
-- @param member string: which array of an .npz
-- @return array, table of the names of its columns or nil; raises an error with the place in the file

--- Arrays one below the other.
-- @function weir.array.concat
-- @param list table of arrays with equal columns and dtype
-- @return array; raises an error when they differ

--- Arrays side by side.
-- @function weir.array.join
-- @param list table of arrays with equal rows and dtype
-- @return array; raises an error when they differ

--- What an array is
-- @section asking

--- One element.
-- @function array:get
-- @param i number: row
-- @param j number: column (1)
-- @return number

--- Overwrites one element. Of a vector set(i, value) will do.
-- @function array:set
-- @param i number: row
-- @param j number: column
-- @param value number
-- @return the array

--- Number of rows.
-- @function array:rows
-- @return number

--- Number of columns: of an array with more axes, all after the first together.
-- @function array:columns
-- @return number

--- Number of elements.
-- @function array:count
-- @return number

--- The type of the elements.
-- @function array:dtype
-- @return string, such as "f32"

--- The sizes of the axes.
-- @function array:shape
-- @return table

--- The numbers as a list (vector) or a list of rows.
-- @function array:to_table
-- @return table

--- Writes a .npy or .csv file, by the ending of its name, atomically.
-- @function array:save
-- @param path string
-- @param names table: names of the columns, for .csv
-- @return the array; raises an error when the file cannot be written

--- The place of the first element that is not finite.
-- @function array:nonfinite
-- @param nan_only boolean: infinities pass (false)
-- @return row, column; nil when there is none

--- Text that tells other type, shape or contents by accident; it is no protection against somebody who wants to deceive.
-- @function array:fingerprint
-- @return string: 16 hexadecimal digits

--- Parts, types and shapes: always a new array
-- @section parts

--- Rows first to last; negative numbers count from the end.
-- @function array:slice
-- @param first number
-- @param last number (-1)
-- @return array

--- The listed rows, in that order.
-- @function array:take
-- @param list table or array of row numbers
-- @return array

--- The listed columns, in that order.
-- @function array:select
-- @param list table or array of column numbers
-- @return array

--- The same numbers in another type; integers round to nearest and stay in range.
-- @function array:cast
-- @param dtype string
-- @return array

--- The same elements in the same order.
-- @function array:reshape
-- @param rows number
-- @param columns number
-- @return array; raises an error unless rows * columns is the count

--- Rows as columns.
-- @function array:transpose
-- @return array

--- Figures
-- @section figures

--- The sum.
-- @function array:sum
-- @param axis number: 1 for one figure a column; nil: of all elements
-- @return number, or array (f64) of one row with axis 1

--- The mean.
-- @function array:mean
-- @param axis number: 1 for one figure a column; nil: of all elements
-- @return number, or array (f64) of one row with axis 1; raises an error when the array is empty

--- The sample standard deviation (divisor n - 1).
-- @function array:std
-- @param axis number: 1 for one figure a column; nil: of all elements
-- @return number, or array (f64) of one row with axis 1; raises an error when the array is empty

--- The smallest element.
-- @function array:min
-- @param axis number: 1 for one figure a column; nil: of all elements
-- @return number, or array (f64) of one row with axis 1; raises an error when the array is empty

--- The largest element.
-- @function array:max
-- @param axis number: 1 for one figure a column; nil: of all elements
-- @return number, or array (f64) of one row with axis 1; raises an error when the array is empty

--- Mean and covariance of the rows (divisor n): the Gaussian of highest likelihood.
-- @function array:covariance
-- @return array (f64) of one row, array (f64, columns x columns)

--- The lower Cholesky factor of a symmetric f64 matrix, whose upper half is not read.
-- @function array:cholesky
-- @return array (f64); nil and a message when it is not positive definite

--- The log density of each row under the normal distribution of this mean and of covariance factor factor^T.
-- @function array:gaussian_log_prob
-- @param mean array (f64), one number a column
-- @param factor array (f64): a lower Cholesky factor
-- @return vector (f64, nats)

--- Element by element: f32 when every array that takes part is, else f64
-- @section elements

--- a + b, element by element.
-- @function array:add
-- @param b array or number; a single row or column is repeated
-- @return array; raises an error when the sizes do not go together

--- a - b, element by element.
-- @function array:sub
-- @param b array or number; a single row or column is repeated
-- @return array; raises an error when the sizes do not go together

--- a b, element by element.
-- @function array:mul
-- @param b array or number; a single row or column is repeated
-- @return array; raises an error when the sizes do not go together

--- a / b, element by element.
-- @function array:div
-- @param b array or number; a single row or column is repeated
-- @return array; raises an error when the sizes do not go together

--- a to the power of b, element by element.
-- @function array:pow
-- @param b array or number; a single row or column is repeated
-- @return array; raises an error when the sizes do not go together

--- The smaller of a and b, element by element.
-- @function array:minimum
-- @param b array or number; a single row or column is repeated
-- @return array; raises an error when the sizes do not go together

--- The larger of a and b, element by element.
-- @function array:maximum
-- @param b array or number; a single row or column is repeated
-- @return array; raises an error when the sizes do not go together

--- The exponential of each element.
-- @function array:exp
-- @return array

--- The natural logarithm of each element.
-- @function array:log
-- @return array

--- The hyperbolic tangent of each element.
-- @function array:tanh
-- @return array

--- The square root of each element.
-- @function array:sqrt
-- @return array

--- The absolute value of each element.
-- @function array:abs
-- @return array

--- The largest whole number that is not above of each element.
-- @function array:floor
-- @return array

--- The square of each element.
-- @function array:square
-- @return array

--- A function of each element, for what has no method; slow on large arrays.
-- @function array:map
-- @param f function(number): number
-- @return array (f64)

--- Random numbers: the same for the same seed
-- @section random

--- A generator.
-- @function weir.random
-- @param seed number (0)
-- @param stream number: others of the same seed give other numbers (0)
-- @return generator

--- Numbers from [0, 1).
-- @function generator:uniform
-- @param rows number; nil: a single number
-- @param columns number; nil: a vector
-- @return number or array (f64)

--- Standard normal numbers.
-- @function generator:normal
-- @param rows number; nil: a single number
-- @param columns number; nil: a vector
-- @return number or array (f64)

--- One of 1 to n, each as likely.
-- @function generator:integer
-- @param n number
-- @return number
