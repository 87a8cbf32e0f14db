/* trial.c - see trial.h.
 *
 * Layers, univariates and densities are checked with and without context and at one, three and four features, densities at
 * two as well; networks with no input too, and as autoregressive ones where they offer that. A setting that the module
 * refuses is left out, as long as one remains.
 */
#include "check/trial.h"
#include "check/guard.h"
#include "check/open.h"

#include <stdio.h>
#include <string.h>

static const weir__setting vector_settings[] = {
    {.features = 3}, {.features = 4, .context = 2}, {.features = 1, .context = 2}, {.features = 1}};
/* Two features too, where quadrature tells whether a density and its sampler agree on how features depend. */
static const weir__setting density_settings[] = {{.features = 3},
                                                 {.features = 4, .context = 2},
                                                 {.features = 1, .context = 2},
                                                 {.features = 1},
                                                 {.features = 2}};
static const weir__setting network_settings[] = {
    {.features = 3, .out = 5},
    {.features = 4, .context = 2, .out = 6},
    {.features = 0, .context = 2, .out = 4},
    {.features = 0, .out = 4},
    {.features = 3, .out = 6, .autoregressive = 2},
    {.features = 4, .context = 2, .out = 12, .autoregressive = 3},
    {.features = 1, .context = 2, .out = 2, .autoregressive = 2},
};

/* ---- sessions ---- */

static void choose_settings(weir__session *session)
{
    const int32_t kind = session->kind;
    const weir__demand *const wanted = session->demand;
    const weir__setting *const usual = kind == WEIR_NETWORK   ? network_settings
                                       : kind == WEIR_DENSITY ? density_settings
                                                              : vector_settings;
    const size_t bytes = kind == WEIR_NETWORK   ? sizeof network_settings
                         : kind == WEIR_DENSITY ? sizeof density_settings
                                                : sizeof vector_settings;
    const int32_t count = (int32_t)(bytes / sizeof *usual);
    for (int32_t i = 0; i < count; i++) {
        weir__setting s = usual[i];
        if (wanted->features >= 0) s.features = (int32_t)wanted->features;
        if (wanted->context >= 0) s.context = (int32_t)wanted->context;
        if (s.autoregressive) s.out = s.features * s.autoregressive;
        int known = 0;
        for (int32_t j = 0; j < session->setting_count; j++)
            known |= memcmp(&session->settings[j], &s, sizeof s) == 0;
        if (!known) session->settings[session->setting_count++] = s;
    }
}

static json_t *node_of(const char *id, const weir__demand *wanted)
{
    json_t *const node = json_object();
    json_t *const options = json_object_get(wanted->object, "options");
    json_t *const children = json_object_get(wanted->object, "children");
    json_object_set_new(node, "type", json_string(id));
    if (options) json_object_set(node, "options", options);
    if (children) json_object_set(node, "children", children);
    return node;
}

weir_status weir__session_begin(weir__session *session, weir_runtime *runtime, const char *id, int32_t kind,
                                const weir__entry *entry, const weir__demand *demand, weir_error *error)
{
    *session = (weir__session){.demand = demand, .kind = kind};
    session->candidate = (weir__candidate){.runtime = runtime,
                                           .node = node_of(id, demand),
                                           .entry = entry,
                                           .seed = (uint64_t)demand->seed,
                                           .points = demand->points,
                                           .full = demand->full};
    memcpy(session->candidate.image, demand->image, sizeof demand->image);
    choose_settings(session);
    return session->candidate.node ? WEIR_OK : weir__no_memory(error, "a check");
}

void weir__session_end(weir__session *session)
{
    json_decref((json_t *)(uintptr_t)session->candidate.node);
    session->candidate.node = NULL;
}

weir_status weir__session_try(weir__session *session, weir_error *error)
{
    weir_error first_error = {.status = WEIR_OK};
    session->served = 0;
    for (int32_t i = 0; i < session->setting_count; i++) {
        weir__subject subject;
        weir_error refusal;
        const weir_status status =
            weir__subject_open(&subject, &session->candidate, &session->settings[i], WEIR_F64, &refusal);
        if (status == WEIR_OK) {
            weir__subject_close(&subject);
            session->served |= 1u << i;
        } else if (first_error.status == WEIR_OK) {
            first_error = refusal;
        }
    }
    if (session->served) return WEIR_OK;
    if (error) *error = first_error;
    return first_error.status;
}

/* ---- which ---- */

static const char *const maps_of_kind[][WEIR__MAPS] = {[WEIR_LAYER] = {"forward", "inverse"},
                                                       [WEIR_UNIVARIATE] = {"forward", "inverse"},
                                                       [WEIR_NETWORK] = {"forward"},
                                                       [WEIR_DENSITY] = {"log_density", "sample"}};

static void add_trial(weir__trial *list, int32_t *count, const weir__promise *promise, const char *map)
{
    if (*count == WEIR__TRIALS_MOST) return;
    weir__trial *const trial = &list[(*count)++];
    *trial = (weir__trial){.promise = promise, .map = map};
    snprintf(trial->name, sizeof trial->name, "%s%s%s", map ? map : "", map ? "." : "", promise->name);
}

int32_t weir__trials_of(const weir__session *session, weir__trial *list)
{
    int32_t count = 0;
    for (int32_t i = 0; i < weir__promise_count; i++) {
        const weir__promise *const promise = &weir__promises[i];
        if (!(promise->kinds & WEIR__KIND(session->kind))) continue;
        const int of_maps = promise->scope == WEIR__PER_MAP || promise->scope == WEIR__PER_VJP;
        if (!of_maps) add_trial(list, &count, promise, NULL);
        for (int32_t m = 0; of_maps && m < WEIR__MAPS && maps_of_kind[session->kind][m]; m++)
            add_trial(list, &count, promise, maps_of_kind[session->kind][m]);
    }
    return count;
}

/* ---- running one ---- */

/* Limits are those of f64. A module that has f32 only, with the host converting around it, cannot meet them. */
static double limit_for(const weir__promise *promise, const weir__subject *subject)
{
    const double coarse = 1e-3;
    const int narrow = subject->module->precision == WEIR_F32;
    return narrow && promise->limit > 0 && promise->limit < coarse ? coarse : promise->limit;
}

/* What somebody needs to see it again. */
static void describe(const weir__subject *subject, char *text, size_t size)
{
    const weir__setting *const s = &subject->setting;
    const char *const weights = subject->weights == WEIR__TRAINED ? "trained" : "initial";
    int length = snprintf(text, size, "features %d, context %d, %s weights, seed %llu", s->features,
                          s->context, weights, (unsigned long long)subject->candidate->seed);
    if (length > 0 && (size_t)length < size && subject->child->kind == WEIR_NETWORK)
        snprintf(text + length, size - (size_t)length, ", out %d, autoregressive %d", s->out,
                 s->autoregressive);
}

static void apply(weir__subject *subject, const weir__trial *trial, weir__finding *finding)
{
    char setting[160];
    const weir__map *const map = trial->map ? weir__subject_map(subject, trial->map) : NULL;
    if (trial->map && (!map || (trial->promise->scope == WEIR__PER_VJP && !map->vjp))) return;
    weir__verdict verdict = {.limit = limit_for(trial->promise, subject)};
    describe(subject, setting, sizeof setting);
    weir__scene_set(setting);
    trial->promise->check(subject, map, &verdict);
    weir__calls_release(subject);
    weir__finding_take(finding, &verdict, setting);
}

/* FNV-1a of the name: checks do not all look at the same points, and those of one do not depend on the others. */
static uint64_t purpose_of(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++) hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return hash;
}

/* Weights that cannot be trained are the check `prepare`'s to tell. */
static void run_in_setting(const weir__session *session, int32_t i, const weir__trial *trial,
                           weir__finding *finding)
{
    weir__subject subject;
    weir_error error;
    if (weir__subject_open(&subject, &session->candidate, &session->settings[i], WEIR_F64, &error) !=
        WEIR_OK) {
        weir__verdict verdict = {.limit = trial->promise->limit};
        weir__object(&verdict, "opened before, and now not: %.200s", error.message);
        weir__finding_take(finding, &verdict, "");
        return;
    }
    subject.dice = weir__dice_from(session->candidate.seed, purpose_of(trial->name) + (uint64_t)i);
    subject.walled = session->candidate.full;
    apply(&subject, trial, finding);
    if (trial->promise->scope != WEIR__PER_MODULE && weir__subject_train(&subject, &error) == WEIR_OK)
        apply(&subject, trial, finding);
    weir__subject_close(&subject);
}

void weir__trial_run(const weir__session *session, const weir__trial *trial, weir__finding *finding)
{
    weir__finding_begin(finding, trial->name, trial->promise->rule, trial->promise->limit);
    weir__guard_note(trial->promise->name);
    for (int32_t i = 0; i < session->setting_count; i++) {
        if (!(session->served >> i & 1)) continue;
        run_in_setting(session, i, trial, finding);
        if (trial->promise->scope == WEIR__PER_MODULE) return;
    }
}
