/* weir_checker.c - runs the checks of one weir_check, each in a process of its own; see check/errand.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "check/errand.h"
#include "checker/allocator.h"
#include "checker/foreman.h"
#include "plugin/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int say(const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        const ssize_t n = write(WEIR__HELPER_FD, text, left);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return 0;
        text += n;
        left -= (size_t)n;
    }
    return 1;
}

static int say_json(json_t *object)
{
    char *const text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    const int said = text && say(text) && say("\n");
    free(text);
    json_decref(object);
    return said;
}

/* The host's own warnings were given by the process that asked. */
static void hush(void *user, int32_t level, const char *line)
{
    (void)user, (void)level, (void)line;
}

static weir_status check(const json_t *request, json_t *list, int32_t *ok, weir_error *error)
{
    const weir_settings settings = {.struct_size = (uint32_t)sizeof settings,
                                    .threads = 1,
                                    .plugin_path = json_string_value(json_object_get(request, "folders")),
                                    .lock = json_string_value(json_object_get(request, "lock")),
                                    .log = hush};
    char *const options = json_dumps(json_object_get(request, "options"), JSON_COMPACT);
    weir__demand demand = {.object = NULL};
    weir__stage stage = {.demand = &demand, .what = json_string_value(json_object_get(request, "what"))};
    weir_status status = stage.what ? weir_open(&settings, &stage.runtime, error)
                                    : weir__fail(error, WEIR_INVALID, "check: the request names nothing");
    if (status == WEIR_OK) status = weir__demand_read(options, &demand, error);
    if (status == WEIR_OK) status = weir__foreman_check(&stage, list, ok, error);
    weir_close(stage.runtime);
    weir__demand_clear(&demand);
    free(options);
    return status;
}

static int answer(void)
{
    weir_error error = {.status = WEIR_OK};
    int32_t ok = 1;
    json_t *const request = json_loadf(stdin, JSON_REJECT_DUPLICATES, NULL);
    json_t *const list = json_array();
    const weir_status status =
        request ? check(request, list, &ok, &error)
                : weir__fail(&error, WEIR_INVALID, "check: the request to weir-checker is no JSON");
    json_decref(request);
    if (status == WEIR_OK) return say_json(json_pack("{s:o, s:b}", "list", list, "ok", (int)ok));
    json_decref(list);
    return say_json(json_pack("{s:s, s:i}", "error", error.message, "status", (int)status));
}

int main(void)
{
    if (fcntl(WEIR__HELPER_FD, F_GETFD) < 0) {
        fprintf(stderr, "weir-checker belongs to weir check, and is of no use by itself\n");
        return 2;
    }
    weir__allocator_count();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    fcntl(WEIR__HELPER_FD, F_SETFD, FD_CLOEXEC);
    return say(WEIR__CHECKER_GREETING "\n") && answer() ? 0 : 1;
}
