/* probe.c - asking weir-probe, and understanding its end.
 *
 * SPDX-License-Identifier: MIT
 *
 * The JSON it answers with is a listing, or {"error": TEXT}. A process that ends without was ended by the plugin.
 */
#include "plugin/probe.h"

#include "plugin/spawn.h"

#include <string.h>
#include <sys/wait.h>

#define ANSWER_MAX (1 << 20)

static weir_status how_it_ended(const weir__answer *a, int32_t timeout, weir_error *error)
{
    const int status = a->ended;
    if (a->timed_out)
        return weir__fail(error, WEIR_INVALID, "did not finish loading within %d ms", (int)timeout);
    if (status != -1 && WIFSIGNALED(status))
        return weir__fail(error, WEIR_INVALID, "crashed while loading: %s", strsignal(WTERMSIG(status)));
    if (status != -1 && WIFEXITED(status))
        return weir__fail(error, WEIR_INVALID, "called exit(%d) while loading", WEXITSTATUS(status));
    return weir__fail(error, WEIR_INVALID, "ended the process that was loading it");
}

static weir_status parse_line(const char *line, weir__listing **listing, weir_error *error)
{
    json_t *const object = json_loadb(line, strcspn(line, "\n"), JSON_REJECT_DUPLICATES, NULL);
    const char *const refusal = json_string_value(json_object_get(object, "error"));
    weir_status status = WEIR_OK;
    if (refusal)
        status = weir__fail(error, WEIR_INVALID, "%s", refusal);
    else if (!(*listing = weir__listing_parse(object, error))) {
        weir__fail_in(error, "weir-probe gave no usable answer");
        status = WEIR_UNSUPPORTED;
    }
    json_decref(object);
    return status;
}

weir_status weir__probe(const char *helper, const char *file, int32_t timeout, weir__listing **listing,
                        weir_error *error)
{
    const char *const arguments[] = {helper, file, NULL};
    const weir__errand errand = {.arguments = arguments,
                                 .name = "weir-probe",
                                 .greeting = WEIR__PROBE_GREETING,
                                 .input = -1,
                                 .timeout = timeout,
                                 .most = ANSWER_MAX};
    weir__answer answer;
    weir_status status = weir__helper_ask(&errand, &answer, error);
    if (!status)
        status =
            answer.line ? parse_line(answer.line, listing, error) : how_it_ended(&answer, timeout, error);
    weir__answer_clear(&answer);
    return status;
}
