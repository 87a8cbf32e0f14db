/* field.h - tiles in guarded memory: what a module writes where it must not is seen.
 *
 * Every element outside [0, width) of a lane (stride gaps, and whole lanes before the first and after the last) holds a
 * quiet NaN with a payload of its own: a write there changes it, and a read poisons the result. A walled field lies, beside
 * that, between two pages that cannot be touched at all, right behind the one or right before the other, and so does the
 * weir_tile that describes it.
 */
#ifndef WEIR__FIELD_H
#define WEIR__FIELD_H

#include <weir/tile.h>

typedef enum weir__layout {
    WEIR__PLAIN,
    WEIR__REVERSED, /* negative stride */
    WEIR__INDEXED   /* a lane index */
} weir__layout;

typedef struct weir__field {
    weir_tile tile; /* features < 0: the argument does not exist, no memory */
    int32_t precision;
    int32_t first;             /* lanes in memory before those that count */
    int64_t lane;              /* elements from one lane in memory to the next, > 0 */
    int64_t elements;          /* in memory */
    void *memory;              /* NULL: no such argument */
    int32_t *index;            /* [features], owned; NULL when there is none */
    struct weir__walls *walls; /* NULL: none */
} weir__field;

/** Which of its two walls a walled field touches. */
typedef enum weir__wall { WEIR__NO_WALL, WEIR__WALL_BEFORE, WEIR__WALL_BEHIND } weir__wall;

/** False when memory is exhausted. The elements of all rows start as zero. `role` ("the point") is what a module that runs
 *  into a wall is told of; it is kept, not copied. */
int weir__field_make(weir__field *field, int32_t precision, int32_t features, int32_t rows,
                     weir__layout layout, weir__wall wall, const char *role);
void weir__field_free(weir__field *field);
int weir__field_there(const weir__field *field);
/** The tile as a module gets it: behind a walled one's struct there is nothing that could be read. */
const weir_tile *weir__field_shown(const weir__field *field);
/** Makes the elements of a walled field read-only, or not. */
void weir__field_seal(const weir__field *field, int sealed);

double weir__field_get(const weir__field *field, int32_t feature, int32_t row);
void weir__field_set(weir__field *field, int32_t feature, int32_t row, double value);
/** All rows, padding too. */
void weir__field_fill(weir__field *field, double value);
/** Padding rows repeat `row`; below 0: they become zero. */
void weir__field_pad(weir__field *field, int32_t row);
/** Values of all rows, padding too; the same shape in any layout or precision. */
void weir__field_copy(weir__field *to, const weir__field *from);

/** True while nothing outside [0, width) was written. */
int weir__field_intact(const weir__field *field);
/** True when row r has the same bits in both (NaNs of any payload count as equal). */
int weir__field_row_equal(const weir__field *a, int32_t row_a, const weir__field *b, int32_t row_b);
/** The same for all rows that count. */
int weir__field_equal(const weir__field *a, const weir__field *b);
/** The same for padding rows too. */
int weir__field_kept(const weir__field *a, const weir__field *b);
/** max |a - b| / (1 + |b|) over rows that count; infinite when one is not finite. */
double weir__field_distance(const weir__field *a, const weir__field *b);
double weir__field_row_distance(const weir__field *a, int32_t row_a, const weir__field *b, int32_t row_b);
int weir__field_row_finite(const weir__field *field, int32_t row);

#endif
