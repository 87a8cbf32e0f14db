/* partition.c - see partition.h. */
#include "partition.h"

typedef struct shape {
    int32_t features;
    int32_t channels, height, width; /* of an image, else 0 */
    int64_t period, first;
} shape;

/* Features are counted from 0 here. */

static int in_first_half(const shape *s, int32_t f)
{
    return f < s->features / 2;
}

static int is_odd(const shape *s, int32_t f)
{
    (void)s;
    return f % 2 == 0; /* users count from 1 */
}

static int has_bit(const shape *s, int32_t f)
{
    return (s->first ^ (f / s->period % 2)) != 0;
}

static int32_t column_of(const shape *s, int32_t f)
{
    return f % s->width;
}

static int32_t row_of(const shape *s, int32_t f)
{
    return f / s->width % s->height;
}

static int in_upper_rows(const shape *s, int32_t f)
{
    return row_of(s, f) < s->height / 2;
}

static int in_left_columns(const shape *s, int32_t f)
{
    return column_of(s, f) < s->width / 2;
}

/* The sum is as odd when both are counted from 1. */
static int on_checkerboard(const shape *s, int32_t f)
{
    return (row_of(s, f) + column_of(s, f)) % 2;
}

static int in_first_channels(const shape *s, int32_t f)
{
    return f / (s->height * s->width) < s->channels / 2;
}

typedef struct partition {
    const char *name;
    int (*passes)(const shape *, int32_t f);
    int swapped; /* what `passes` names is moved */
    int of_image;
} partition;

static const partition partitions[] = {
    {"half", in_first_half, 0, 0},
    {"half_swapped", in_first_half, 1, 0},
    {"odd", is_odd, 0, 0},
    {"even", is_odd, 1, 0},
    {"period", has_bit, 0, 0},
    {"top", in_upper_rows, 0, 1},
    {"bottom", in_upper_rows, 1, 1},
    {"left", in_left_columns, 0, 1},
    {"right", in_left_columns, 1, 1},
    {"checkerboard", on_checkerboard, 0, 1},
    {"checkerboard_swapped", on_checkerboard, 1, 1},
    {"channel", in_first_channels, 0, 1},
    {"channel_swapped", in_first_channels, 1, 1},
};

static const partition *find(const char *name)
{
    for (size_t i = 0; i < sizeof partitions / sizeof *partitions; i++)
        if (strcmp(partitions[i].name, name) == 0) return &partitions[i];
    return NULL;
}

static weir_status read_period(weir_builder *build, const char *name, shape *s)
{
    const int period = build->given(build, "period"), first = build->given(build, "first");
    if (strcmp(name, "period") != 0)
        return period || first
                   ? weir_refuse(build, "%s is read with mask = \"period\" only, but mask is \"%s\"",
                                 period ? "period" : "first", name)
                   : WEIR_OK;
    if (!period)
        return weir_refuse(build,
                           "mask = \"period\" needs the option period, how many neighbours share a bit");
    s->period = build->integer(build, "period");
    s->first = first ? build->integer(build, "first") : 0;
    return WEIR_OK;
}

static weir_status refuse_empty(weir_builder *build, const partition *p, const shape *s, int32_t passing)
{
    const char *const what = passing ? "move" : "pass";
    if (p->of_image)
        return weir_refuse(
            build, "mask = \"%s\" leaves nothing to %s in an image of %d channels, %d rows, %d columns",
            p->name, what, (int)s->channels, (int)s->height, (int)s->width);
    return weir_refuse(build,
                       "mask = \"%s\" leaves nothing to %s: period = %lld must be below the %d features",
                       p->name, what, (long long)s->period, (int)s->features);
}

weir_status WEIR_NAME(partition_mark)(weir_builder *build, const char *name, char *pass)
{
    const partition *const p = find(name);
    shape s = {build->features, build->channels, build->height, build->width, 0, 0};
    int32_t passing = 0;
    if (!p) return weir_refuse(build, "mask = \"%s\" is not known", name);
    if (read_period(build, name, &s) != WEIR_OK) return WEIR_INVALID;
    if (p->of_image && s.channels < 1)
        return weir_refuse(build,
                           "mask = \"%s\" divides an image, and the shape is not known here: say image = "
                           "{channels, height, width} in weir.flow, or \"image\" in a model description",
                           name);
    for (int32_t f = 0; f < s.features; f++) {
        pass[f] = p->passes(&s, f) != p->swapped;
        passing += pass[f];
    }
    if (passing == 0 || passing == s.features) return refuse_empty(build, p, &s, passing);
    return WEIR_OK;
}
