/* script.c - see script.h. */
#define _POSIX_C_SOURCE 200809L /* st_mtim */
#include "script.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SIZE_MOST (1 << 20)

static lua_stamp stamp_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) return (lua_stamp){.size = -1};
    return (lua_stamp){(int64_t)st.st_ctim.tv_sec, (int64_t)st.st_ctim.tv_nsec, (int64_t)st.st_size,
                       (uint64_t)st.st_ino};
}

/* Opening a pipe would wait for somebody who writes to it. */
static FILE *open_file(const char *path, char *why, size_t room)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return snprintf(why, room, "%s: is no regular file", path), NULL;
    FILE *const file = fopen(path, "rb");
    if (!file) snprintf(why, room, "%s: %s", path, strerror(errno));
    return file;
}

/* With a zero behind it; NULL with a line in `why`. Compiled Lua is refused: it is not checked when loaded. */
static char *read_bytes(const char *path, size_t *size, char *why, size_t room)
{
    FILE *const file = open_file(path, why, room);
    if (!file) return NULL;
    char *const text = malloc(SIZE_MOST + 1);
    *size = text ? fread(text, 1, SIZE_MOST, file) : 0;
    const int whole = text && !ferror(file) && fgetc(file) == EOF;
    fclose(file);
    if (whole && *size && text[0] != '\033') {
        char *const fitted = realloc(text, *size + 1);
        if (fitted) return fitted[*size] = '\0', fitted;
    }
    snprintf(why, room, "%s: %s", path,
             !text    ? "out of memory"
             : !whole ? "cannot be read, or is longer than a layer's file may be (1 MiB)"
             : !*size ? "is empty"
                      : "is compiled Lua; give its source");
    free(text);
    return NULL;
}

static lua_text *read_text(const lua_script *s, char *why, size_t room)
{
    lua_text *const text = calloc(1, sizeof *text);
    if (!text) return snprintf(why, room, "%s: out of memory", s->path), NULL;
    text->bytes = read_bytes(s->path, &text->size, why, room);
    if (!text->bytes) return WEIR_NAME(lua_script_drop)(text), NULL;
    s->files->sha256(text->bytes, (int64_t)text->size, text->digest);
    return text;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static double *copy_numbers(const double *values, int32_t count)
{
    double *const copy = malloc(((size_t)count + 1) * sizeof *copy);
    if (copy && count) memcpy(copy, values, (size_t)count * sizeof *copy);
    return copy;
}

static weir_status read_options(lua_script *s, weir_builder *build)
{
    s->reload = build->boolean(build, "reload");
    s->allow_changed = build->boolean(build, "allow_changed");
    s->constant_count = build->numbers(build, "constants", NULL, 0);
    s->constants = malloc(((size_t)s->constant_count + 1) * sizeof *s->constants);
    if (!s->constants) return weir_refuse(build, "out of memory");
    build->numbers(build, "constants", s->constants, s->constant_count);
    return WEIR_OK;
}

static weir_status read_surroundings(lua_script *s, weir_builder *build)
{
    s->features = build->features;
    s->context = build->context;
    s->stream = build->stream;
    if (!build->network) return WEIR_OK;
    s->outputs = build->network->out;
    if (!build->network->output_bias) return WEIR_OK;
    s->output_bias = copy_numbers(build->network->output_bias, s->outputs);
    return s->output_bias ? WEIR_OK : weir_refuse(build, "out of memory");
}

static weir_status find(lua_script *s, weir_builder *build)
{
    enum { ROOM = 8192 };
    s->files = (const weir_files *)build->extension(WEIR_FILES);
    if (!s->files) return weir_refuse(build, "this host offers no %s; use a newer one", WEIR_FILES);
    s->path = malloc(ROOM);
    if (!s->path) return weir_refuse(build, "out of memory");
    if (s->files->find(build, build->string(build, "file"), s->path, ROOM) != WEIR_OK) return WEIR_INVALID;
    const char *const slash = strrchr(s->path, '/');
    s->name = slash ? slash + 1 : s->path;
    return WEIR_OK;
}

weir_status WEIR_NAME(lua_script_open)(lua_script *s, weir_builder *build, const char *kind)
{
    char why[300];
    s->kind = kind;
    if (find(s, build) != WEIR_OK || read_options(s, build) != WEIR_OK ||
        read_surroundings(s, build) != WEIR_OK)
        return WEIR_INVALID;
    s->stamp = stamp_of(s->path);
    s->newest = read_text(s, why, sizeof why);
    return s->newest ? WEIR_OK : weir_refuse(build, "%s", why);
}

void WEIR_NAME(lua_spec_clear)(lua_spec *spec)
{
    for (int32_t i = 0; i < spec->tensor_count; i++) free(spec->tensors[i].values);
    free(spec->identity);
    free(spec->signature);
    memset(spec, 0, sizeof *spec);
}

void WEIR_NAME(lua_script_close)(lua_script *s)
{
    WEIR_NAME(lua_spec_clear)(&s->spec);
    free(s->path);
    while (s->newest) {
        lua_text *const text = s->newest;
        s->newest = text->before;
        WEIR_NAME(lua_script_drop)(text);
    }
    free(s->constants);
    free(s->output_bias);
}

/* ---- changes ----------------------------------------------------------------------------------------------------- */

const lua_text *WEIR_NAME(lua_script_text)(const lua_script *s)
{
    return __atomic_load_n(&s->newest, __ATOMIC_ACQUIRE);
}

/* A host may keep to a list of files, and a file may have become everybody's since it was found. */
static int is_permitted(const lua_script *s, const weir_frame *frame, const lua_text *text, char *why,
                        size_t room)
{
    const weir_file_guard *const guard = (const weir_file_guard *)frame->services->extension(WEIR_FILE_GUARD);
    if (!guard) return snprintf(why, room, "this host cannot say which files may be read again"), 0;
    return guard->permits(frame, s->path, text->digest, why, (int64_t)room) == WEIR_OK;
}

int WEIR_NAME(lua_script_changed)(lua_script *s, const weir_frame *frame, lua_text **text, char *why,
                                  size_t room)
{
    const lua_stamp now = stamp_of(s->path);
    if (memcmp(&now, &s->stamp, sizeof now) == 0) return 0;
    s->stamp = now;
    lua_text *const read = read_text(s, why, room);
    if (!read) return -1;
    const int same = strcmp(read->digest, s->newest->digest) == 0;
    if (!same && is_permitted(s, frame, read, why, room)) return *text = read, 1;
    WEIR_NAME(lua_script_drop)(read);
    return same ? 0 : -1;
}

void WEIR_NAME(lua_script_take)(lua_script *s, lua_text *text)
{
    text->before = s->newest;
    text->version = s->newest->version + 1;
    __atomic_store_n(&s->newest, text, __ATOMIC_RELEASE);
}

void WEIR_NAME(lua_script_drop)(lua_text *text)
{
    free(text->bytes);
    free(text);
}

static int64_t digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

void WEIR_NAME(lua_digest_words)(const char *digest, int64_t words[4])
{
    for (int32_t w = 0; w < 4; w++) {
        uint64_t word = 0;
        for (int32_t i = 0; i < 16; i++) word = word << 4 | (uint64_t)digit(digest[16 * w + i]);
        memcpy(&words[w], &word, sizeof word);
    }
}
