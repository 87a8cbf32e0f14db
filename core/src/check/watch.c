/* watch.c - see watch.h. */
#include "check/watch.h"

#include "check/scene.h"
#include "plugin/fpstate.h"

#include <string.h>

int64_t (*weir__allocations)(void);
int64_t (*weir__live_blocks)(void);

/* f32 first. */
static weir_module watched[2], covers[2];
static weir__entry watched_entry;

static union {
    weir_layer_ops layer;
    weir_univariate_ops univariate;
    weir_network_ops network;
    weir_density_ops density;
} covered_ops[2];

/* ---- around a call ---- */

typedef struct visit {
    int32_t call, before;
    int64_t allocations;
    weir__fpstate arithmetic;
} visit;

static _Thread_local int32_t depth, allocating, disturbing;
static _Thread_local int64_t allocated;
static _Thread_local const char *disturbance;

static void enter(visit *v, int32_t call)
{
    v->call = call;
    v->before = weir__scene_now ? weir__scene_now->call : 0;
    if (weir__scene_now) weir__scene_now->call = call;
    v->allocations = weir__allocations ? weir__allocations() : 0;
    weir__fpstate_save(&v->arithmetic);
    depth++;
}

/* A module that calls another of its own plugin is met twice: the outer visit counts. */
static void leave(const visit *v)
{
    const char *const changed = weir__fpstate_restore(&v->arithmetic);
    if (changed && !disturbance) {
        disturbance = changed;
        disturbing = v->call;
    }
    if (--depth == 0 && weir__allocations && weir__allocations() > v->allocations) {
        allocated += weir__allocations() - v->allocations;
        allocating = v->call;
    }
    if (weir__scene_now) weir__scene_now->call = v->before;
}

int64_t weir__watch_allocated(const char **call)
{
    const int64_t count = allocated;
    *call = weir__call_name(allocating);
    allocated = 0;
    return count;
}

const char *weir__watch_disturbance(const char **call)
{
    const char *const changed = disturbance;
    *call = weir__call_name(disturbing);
    disturbance = NULL;
    return changed;
}

/* ---- the calls ---- */

#define COVER(member)          COVER_AS(member, member)
#define COVER_AS(member, name) ops->member = ops->member ? NAME(name) : NULL

#define NAME(name) name##_f32
#define INDEX      0
#include "check/watch_body.h"
#undef NAME
#undef INDEX
#define NAME(name) name##_f64
#define INDEX      1
#include "check/watch_body.h"
#undef NAME
#undef INDEX

/* ---- covering a descriptor ---- */

/* What this host knows of a struct; a tail that the plugin's has not stays zero. */
static void take_struct(void *to, const void *from, size_t known, uint32_t size)
{
    const uint32_t taken = size < known ? size : (uint32_t)known;
    memset(to, 0, known);
    memcpy(to, from, taken);
    memcpy(to, &taken, sizeof taken);
}

static void cover_ops(int wide, const weir_module *module)
{
    const uint32_t size = *(const uint32_t *)module->ops;
    void *const ops = &covered_ops[wide];
    switch (module->kind) {
    case WEIR_LAYER:
        take_struct(ops, module->ops, sizeof(weir_layer_ops), size);
        wide ? cover_layer_f64(ops) : cover_layer_f32(ops);
        break;
    case WEIR_UNIVARIATE:
        take_struct(ops, module->ops, sizeof(weir_univariate_ops), size);
        wide ? cover_univariate_f64(ops) : cover_univariate_f32(ops);
        break;
    case WEIR_NETWORK:
        take_struct(ops, module->ops, sizeof(weir_network_ops), size);
        wide ? cover_network_f64(ops) : cover_network_f32(ops);
        break;
    default:
        take_struct(ops, module->ops, sizeof(weir_density_ops), size);
        wide ? cover_density_f64(ops) : cover_density_f32(ops);
        break;
    }
}

static const weir_module *cover(const weir_module *module)
{
    if (!module) return NULL;
    const int wide = module->precision == WEIR_F64;
    weir_module *const out = &covers[wide];
    take_struct(&watched[wide], module, sizeof *module, module->struct_size);
    *out = watched[wide];
    cover_ops(wide, module);
    out->ops = &covered_ops[wide];
    out->create = wide ? create_f64 : create_f32;
    out->destroy = wide ? destroy_f64 : destroy_f32;
    if (out->prepare) out->prepare = wide ? prepare_f64 : prepare_f32;
    if (out->prepare_vjp) out->prepare_vjp = wide ? prepare_vjp_f64 : prepare_vjp_f32;
    return out;
}

const weir__entry *weir__watch(const weir__entry *entry)
{
    watched_entry = *entry;
    watched_entry.f32 = cover(entry->f32);
    watched_entry.f64 = cover(entry->f64);
    return &watched_entry;
}

int weir__watching(void)
{
    return watched_entry.id != NULL;
}
