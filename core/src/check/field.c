/* field.c - tiles in guarded memory. */
#include "check/field.h"

#include "check/walls.h"
#include "run/frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GUARD_LANES 2
#define GUARD_F64   UINT64_C(0x7ff85745495221a5)
#define GUARD_F32   UINT32_C(0x7fc521a5)

static void put_guard(const weir__field *field, int64_t element)
{
    const uint64_t wide = GUARD_F64;
    const uint32_t narrow = GUARD_F32;
    if (field->precision == WEIR_F64)
        memcpy((double *)field->memory + element, &wide, sizeof wide);
    else
        memcpy((float *)field->memory + element, &narrow, sizeof narrow);
}

static int is_guard(const weir__field *field, int64_t element)
{
    const uint64_t wide = GUARD_F64;
    const uint32_t narrow = GUARD_F32;
    if (field->precision == WEIR_F64)
        return memcmp((const double *)field->memory + element, &wide, sizeof wide) == 0;
    return memcmp((const float *)field->memory + element, &narrow, sizeof narrow) == 0;
}

/* Feature f's lane in memory; the index of an INDEXED field is a fixed stride-like shuffle of them. */
static int32_t memory_lane(const weir__field *field, int32_t feature)
{
    if (field->index) return field->first + field->index[feature];
    if (field->tile.stride < 0) return field->first + field->tile.features - 1 - feature;
    return field->first + feature;
}

static int64_t element_of(const weir__field *field, int32_t feature, int32_t row)
{
    return memory_lane(field, feature) * field->lane + row;
}

static int lay_out(weir__field *field, weir__layout layout)
{
    const int32_t features = field->tile.features;
    const size_t size = field->precision == WEIR_F64 ? sizeof(double) : sizeof(float);
    char *const first = (char *)field->memory + (size_t)field->first * (size_t)field->lane * size;
    field->tile.data = features ? first : NULL;
    field->tile.stride = field->lane;
    if (layout == WEIR__REVERSED && features) {
        field->tile.data = first + (size_t)(features - 1) * (size_t)field->lane * size;
        field->tile.stride = -field->lane;
    }
    if (layout != WEIR__INDEXED || !features) return 1;
    field->index = malloc((size_t)features * sizeof *field->index);
    if (!field->index) return 0;
    for (int32_t f = 0; f < features; f++) field->index[f] = features - 1 - f;
    for (int32_t f = 0; f + 1 < features; f += 2) {
        const int32_t swapped = field->index[f];
        field->index[f] = field->index[f + 1];
        field->index[f + 1] = swapped;
    }
    field->tile.lanes = field->index;
    return 1;
}

/* Without a wall there are lanes before and after; at a wall there is nothing between it and the lanes. */
static void size_up(weir__field *field, weir__wall wall)
{
    const int32_t features = field->tile.features, per_line = field->precision == WEIR_F64 ? 8 : 16;
    const int64_t last = (field->tile.width + per_line - 1) / per_line * per_line;
    field->lane = (field->tile.width + 15) / 16 * 16 + 16;
    field->first = wall == WEIR__WALL_BEFORE ? 0 : GUARD_LANES;
    field->elements = (field->first + features + GUARD_LANES) * field->lane;
    if (wall == WEIR__WALL_BEHIND && features)
        field->elements = (field->first + features - 1) * field->lane + last;
}

int weir__field_make(weir__field *field, int32_t precision, int32_t features, int32_t rows,
                     weir__layout layout, weir__wall wall, const char *role)
{
    memset(field, 0, sizeof *field);
    field->precision = precision;
    field->tile.struct_size = (uint32_t)sizeof field->tile;
    field->tile.features = features;
    field->tile.rows = rows;
    field->tile.width = rows ? weir__width(rows) : 0;
    size_up(field, wall);
    const size_t bytes = (size_t)field->elements * (precision == WEIR_F64 ? sizeof(double) : sizeof(float));
    if (wall != WEIR__NO_WALL)
        field->memory = weir__walls_make(&field->walls, bytes, wall == WEIR__WALL_BEHIND, role);
    else
        field->memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!field->memory || !lay_out(field, layout)) {
        weir__field_free(field);
        return 0;
    }
    for (int64_t i = 0; i < field->elements; i++) put_guard(field, i);
    weir__field_fill(field, 0);
    return 1;
}

void weir__field_free(weir__field *field)
{
    if (field->walls)
        weir__walls_free(field->walls);
    else
        free(field->memory);
    free(field->index);
    memset(field, 0, sizeof *field);
}

const weir_tile *weir__field_shown(const weir__field *field)
{
    if (!field->walls) return &field->tile;
    weir_tile *const shown = weir__walls_struct(field->walls, sizeof field->tile);
    *shown = field->tile;
    return shown;
}

void weir__field_seal(const weir__field *field, int sealed)
{
    if (field->walls) weir__walls_seal(field->walls, sealed);
}

int weir__field_there(const weir__field *field)
{
    return field->memory != NULL;
}

double weir__field_get(const weir__field *field, int32_t feature, int32_t row)
{
    const int64_t at = element_of(field, feature, row);
    return field->precision == WEIR_F64 ? ((const double *)field->memory)[at]
                                        : (double)((const float *)field->memory)[at];
}

void weir__field_set(weir__field *field, int32_t feature, int32_t row, double value)
{
    const int64_t at = element_of(field, feature, row);
    if (field->precision == WEIR_F64)
        ((double *)field->memory)[at] = value;
    else
        ((float *)field->memory)[at] = (float)value;
}

void weir__field_fill(weir__field *field, double value)
{
    for (int32_t f = 0; field->memory && f < field->tile.features; f++)
        for (int32_t r = 0; r < field->tile.width; r++) weir__field_set(field, f, r, value);
}

void weir__field_pad(weir__field *field, int32_t row)
{
    for (int32_t f = 0; field->memory && f < field->tile.features; f++)
        for (int32_t r = field->tile.rows; r < field->tile.width; r++)
            weir__field_set(field, f, r, row < 0 ? 0 : weir__field_get(field, f, row));
}

void weir__field_copy(weir__field *to, const weir__field *from)
{
    for (int32_t f = 0; to->memory && f < to->tile.features; f++)
        for (int32_t r = 0; r < to->tile.width; r++) weir__field_set(to, f, r, weir__field_get(from, f, r));
}

int weir__field_intact(const weir__field *field)
{
    if (!field->memory) return 1;
    const int32_t last = field->first + field->tile.features;
    for (int64_t i = 0; i < field->elements; i++) {
        const int64_t lane = i / field->lane;
        const int guard = lane < field->first || lane >= last || i % field->lane >= field->tile.width;
        if (guard && !is_guard(field, i)) return 0;
    }
    return !field->walls || weir__walls_intact(field->walls);
}

static int same_bits(double a, double b)
{
    return (isnan(a) && isnan(b)) || (a == b && !signbit(a) == !signbit(b));
}

int weir__field_row_equal(const weir__field *a, int32_t row_a, const weir__field *b, int32_t row_b)
{
    for (int32_t f = 0; a->memory && f < a->tile.features; f++)
        if (!same_bits(weir__field_get(a, f, row_a), weir__field_get(b, f, row_b))) return 0;
    return 1;
}

int weir__field_equal(const weir__field *a, const weir__field *b)
{
    for (int32_t r = 0; a->memory && r < a->tile.rows; r++)
        if (!weir__field_row_equal(a, r, b, r)) return 0;
    return 1;
}

int weir__field_kept(const weir__field *a, const weir__field *b)
{
    for (int32_t r = 0; a->memory && r < a->tile.width; r++)
        if (!weir__field_row_equal(a, r, b, r)) return 0;
    return 1;
}

double weir__field_row_distance(const weir__field *a, int32_t row_a, const weir__field *b, int32_t row_b)
{
    double worst = 0;
    for (int32_t f = 0; a->memory && f < a->tile.features; f++) {
        const double x = weir__field_get(a, f, row_a), y = weir__field_get(b, f, row_b);
        if (!isfinite(x) || !isfinite(y)) return INFINITY;
        worst = fmax(worst, fabs(x - y) / (1 + fabs(y)));
    }
    return worst;
}

double weir__field_distance(const weir__field *a, const weir__field *b)
{
    double worst = 0;
    for (int32_t r = 0; a->memory && r < a->tile.rows; r++)
        worst = fmax(worst, weir__field_row_distance(a, r, b, r));
    return worst;
}

int weir__field_row_finite(const weir__field *field, int32_t row)
{
    for (int32_t f = 0; field->memory && f < field->tile.features; f++)
        if (!isfinite(weir__field_get(field, f, row))) return 0;
    return 1;
}
