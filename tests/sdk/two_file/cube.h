/* What the two files of this plugin share: each name exists once for each precision. */
#ifndef CUBE_H
#define CUBE_H

#include <weir/lanes.h>

/** The root x of half x^3 + x = y. */
weir_real WEIR_NAME(cube_solve)(weir_real y);

#endif
