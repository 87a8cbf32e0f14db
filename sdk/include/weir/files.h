/* weir/files.h - files that go with a plugin: scripts, tables, manifests.
 *
 * SPDX-License-Identifier: MIT
 *
 * A model names such a file by its bare name, never by a path, and the host looks for it only where it looks for plugins:
 * so a model from a stranger reaches nothing that the user did not install as code. The module records the digest of what
 * it read among its integer buffers, to know it again.
 */
#ifndef WEIR_FILES_H
#define WEIR_FILES_H

#include <weir/build.h>

WEIR_BEGIN_DECLS

/** weir_builder.extension of this id gives a weir_files, or NULL from a host that has none. */
#define WEIR_FILES "weir.files/1"

/** Hexadecimal digits of a digest, and the zero after them. */
#define WEIR_SHA256_TEXT 65

typedef struct weir_files {
    uint32_t struct_size;
    uint32_t reserved;
    /** Absolute path of the file of that name: letters, digits, '-', '_' and '.', no '/', not starting with a dot. The
     *  first of the plugin folders that has it counts; a file that everybody may write is refused. When there is none the
     *  host has noted why, and create returns WEIR_INVALID. [main] */
    weir_status (*find)(weir_builder *build, const char *name, char *path, int64_t capacity) WEIR_NOEXCEPT;
    /** The SHA-256 digest of data[0 .. bytes) in lower case: WEIR_SHA256_TEXT characters. [any] */
    void (*sha256)(const void *data, int64_t bytes, char *text) WEIR_NOEXCEPT;
} weir_files;

/** weir_services.extension of this id gives a weir_file_guard, or NULL from a host that has none. */
#define WEIR_FILE_GUARD "weir.file_guard/1"

/** For a module that reads its file again while a model lives. Without it such a module keeps what it has. */
typedef struct weir_file_guard {
    uint32_t struct_size;
    uint32_t reserved;
    /** Whether bytes of this digest (weir_files.sha256), read from `path` (weir_files.find), may be used: WEIR_OK; or
     *  WEIR_INVALID and one line in why[0 .. capacity): everybody may write the file, or the host keeps to a list of files
     *  that has no such digest. Asked before anything of the bytes is run. [prepare] */
    weir_status (*permits)(const weir_frame *frame, const char *path, const char *sha256, char *why,
                           int64_t capacity) WEIR_NOEXCEPT;
} weir_file_guard;

WEIR_END_DECLS

#endif
