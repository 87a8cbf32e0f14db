/* script.h - a layer's Lua file as read, and what it says of itself. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <weir/files.h>
#include <weir/plugin.h>

#define LUA_TENSORS_MOST 60

/** A parameter or derived tensor that the script declares. */
typedef struct lua_tensor {
    char name[64];
    int32_t derived, rank;
    int64_t dims[4], count;
    weir_init init;
    double *values; /* of init, owned */
} lua_tensor;

/** What the table that the script returned says; the functions stay in the state. */
typedef struct lua_spec {
    int32_t params;
    double *identity; /* [params] */
    int32_t tensor_count;
    lua_tensor tensors[LUA_TENSORS_MOST];
    int32_t has_domain, has_codomain;
    double domain[2], codomain[2];
    char *signature; /* all of it that may not change while a model lives */
} lua_spec;

/** What tells a changed file from the one that was read, without reading it: when its inode was last written to, moved or
 *  given other rights, which no program can set back as it can the time of its contents. */
typedef struct lua_stamp {
    int64_t seconds, nanoseconds, size;
    uint64_t inode;
} lua_stamp;

/** One version of the file. */
typedef struct lua_text {
    char *bytes;
    size_t size;
    char digest[WEIR_SHA256_TEXT];
    int32_t version; /* counts reloads */
    struct lua_text *before;
} lua_text;

/** The file and the module it is for. Belongs to the first instance; those of the workers share it, and only prepare
 *  changes it, which runs alone but for instances that are being made: so no version is freed before the script is. */
typedef struct lua_script {
    const weir_files *files;
    const char *kind; /* "univariate", ... */
    char *path;
    const char *name; /* the file's, within path */
    lua_text *newest; /* see lua_script_text */
    lua_stamp stamp;
    int32_t reload, allow_changed, told;
    int32_t features, context, outputs;
    uint32_t stream;
    double *constants, *output_bias; /* output_bias [outputs] or NULL */
    int32_t constant_count;
    lua_spec spec;
    weir_handle handles[LUA_TENSORS_MOST];
    weir_handle digest_handle; /* integer buffer [4]: the digest of the file that the model was made with */
} lua_script;

/** Finds and reads the file that the options name. On failure the builder knows why. */
weir_status WEIR_NAME(lua_script_open)(lua_script *script, weir_builder *build, const char *kind);
void WEIR_NAME(lua_script_close)(lua_script *script);

/** The version to be run from now on. */
const lua_text *WEIR_NAME(lua_script_text)(const lua_script *script);
/** Reads the file anew: 1 when it holds another text, which the caller takes over with lua_script_take, or drops; 0 when it
 *  holds the same, or has not been touched; -1 when it cannot be read, or may not be used, with a line in `why`. Says -1
 *  once for each change. */
int WEIR_NAME(lua_script_changed)(lua_script *script, const weir_frame *frame, lua_text **text, char *why,
                                  size_t room);
void WEIR_NAME(lua_script_take)(lua_script *script, lua_text *text);
void WEIR_NAME(lua_script_drop)(lua_text *text);

/** The digest as the integer buffer holds it. */
void WEIR_NAME(lua_digest_words)(const char *digest, int64_t words[4]);

void WEIR_NAME(lua_spec_clear)(lua_spec *spec);

#endif
