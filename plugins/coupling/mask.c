/* mask.c - reading the mask's options, and the part of a tile that belongs to one side of it. */
#include "mask.h"

#include "partition.h"

#include <stdlib.h>

static weir_status mark_given(weir_builder *build, int32_t features, char *pass)
{
    const int32_t count = build->integers(build, "pass", NULL, 0);
    if (count <= 0 || count >= features)
        return weir_refuse(build,
                           "pass lists %d of %d features: name at least one and leave at least one out",
                           count > 0 ? count : 0, features);
    int64_t *const list = malloc((size_t)count * sizeof *list);
    if (!list) return weir_refuse(build, "out of memory");
    weir_status status = WEIR_OK;
    build->integers(build, "pass", list, count);
    for (int32_t i = 0; i < count && status == WEIR_OK; i++) {
        if (list[i] < 1 || list[i] > features)
            status = weir_refuse(build, "pass names feature %lld, but features are numbered 1 to %d",
                                 (long long)list[i], features);
        else if (pass[list[i] - 1]++)
            status = weir_refuse(build, "pass names feature %lld twice", (long long)list[i]);
    }
    free(list);
    return status;
}

static weir_status mark(weir_builder *build, int32_t features, char *pass)
{
    const char *const name = build->string(build, "mask");
    const int given = build->given(build, "pass");
    if (!name) return WEIR_INVALID;
    if (strcmp(name, "given") != 0) {
        if (given)
            return weir_refuse(build, "pass is read with mask = \"given\" only, but mask is \"%s\"", name);
        return WEIR_NAME(partition_mark)(build, name, pass);
    }
    if (build->given(build, "period") || build->given(build, "first"))
        return weir_refuse(build,
                           "period and first are read with mask = \"period\" only, but mask is \"given\"");
    if (!given)
        return weir_refuse(build, "mask = \"given\" needs the option pass, a list of features from 1");
    return mark_given(build, features, pass);
}

static int collect(lane_set *set, int32_t features, const char *pass, int wanted)
{
    set->lanes = malloc((size_t)features * sizeof *set->lanes);
    if (!set->lanes) return 0;
    for (int32_t f = 0; f < features; f++)
        if (pass[f] == wanted) set->lanes[set->count++] = f;
    set->step = set->count > 1 ? set->lanes[1] - set->lanes[0] : 1;
    for (int32_t i = 2; i < set->count; i++)
        if (set->lanes[i] - set->lanes[i - 1] != set->step) set->step = 0;
    return 1;
}

weir_status WEIR_NAME(mask_read)(weir_builder *build, lane_mask *mask)
{
    const int32_t features = build->features;
    memset(mask, 0, sizeof *mask);
    if (features < 2)
        return weir_refuse(
            build, "a coupling needs at least 2 features, one to pass and one to move; it has %d", features);
    char *const pass = calloc((size_t)features, 1);
    if (!pass) return weir_refuse(build, "out of memory");
    weir_status status = mark(build, features, pass);
    if (status == WEIR_OK &&
        !(collect(&mask->pass, features, pass, 1) && collect(&mask->moved, features, pass, 0)))
        status = weir_refuse(build, "out of memory");
    free(pass);
    return status;
}

void WEIR_NAME(mask_clear)(lane_mask *mask)
{
    free(mask->pass.lanes);
    free(mask->moved.lanes);
}

int WEIR_NAME(lane_set_of)(const lane_set *set, weir_frame *frame, const weir_tile *tile, weir_tile *part)
{
    *part = *tile;
    part->features = set->count;
    if (!tile->lanes && set->step) {
        part->data = weir_lane(tile, set->lanes[0]);
        part->stride = set->step * tile->stride;
        return 1;
    }
    part->lanes = set->lanes;
    if (!tile->lanes) return 1;
    int32_t *const lanes = weir_take(frame, set->count * (int64_t)sizeof *lanes);
    if (!lanes) return 0;
    for (int32_t i = 0; i < set->count; i++) lanes[i] = tile->lanes[set->lanes[i]];
    part->lanes = lanes;
    return 1;
}
