/* around.h - writes that go around the cache.
 *
 * Parameters are read by every thread in every step, so that their lines lie in several caches at once. On AMD's processors a
 * store to such a line waits until the others have given it up, one line after the other: on Zen 4 a write of 330 KB that
 * two cores had read took 38 to 150 us, depending on where the two cores lie, around the cache 25 us, and the next read
 * came as fast. Not measured on other processors, and not done there. */
#ifndef WEIR__AROUND_H
#define WEIR__AROUND_H

#include <stdint.h>

/** 1 where writing what other threads have read pays around the cache. */
int weir__around_pays(void);

/** Copies bytes; both ends aligned to 16. Other threads see them after the next release of this one. */
void weir__copy_around(int64_t bytes, const void *from, void *to);

#endif
