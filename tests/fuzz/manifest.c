/* manifest.c - libFuzzer on manifests and the probe's memory: what they vouch for is well-formed, and says the same when it
 * is written down again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "installed.h"
#include "plugin/names.h"
#include "plugin/vouch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const weir__listing *listing)
{
    MUST(weir__is_name(listing->plugin) && weir__is_version(listing->version) && listing->count > 0);
    MUST(!*listing->needs || weir__is_text(listing->needs, WEIR__NEEDS_MAX, 0));
    for (int64_t i = 0; i < listing->count; i++)
        MUST(weir__is_id(listing->modules[i].id) && weir__kind_name(listing->modules[i].kind));
    json_t *const json = weir__listing_json(listing);
    weir__listing *const again = weir__listing_parse(json, NULL);
    json_t *const twice = again ? weir__listing_json(again) : NULL;
    MUST(twice && json_equal(json, twice));
    json_decref(json);
    json_decref(twice);
    weir__listing_free(again);
}

/* JSON is made a manifest of this ABI, whatever it says it is; other bytes stay as they are. */
static int manifest_file(const uint8_t *data, size_t size, char *path, size_t room)
{
    char abi[40];
    json_t *const root = json_loadb((const char *)data, size, 0, NULL);
    snprintf(abi, sizeof abi, "%d.%d.%d", WEIR_ABI_MAJOR, WEIR_ABI_MINOR, WEIR_ABI_DRAFT);
    if (json_is_object(root)) json_object_set_new(root, "abi", json_string(abi));
    char *const text = root ? json_dumps(root, JSON_ENCODE_ANY) : NULL;
    const int fd = text ? memory_file(text, strlen(text), path, room) : memory_file(data, size, path, room);
    json_decref(root);
    free(text);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    /* The file that the corpus vouches for. */
    const struct stat st = {.st_size = 4096, .st_mtim = {.tv_sec = 7}, .st_ino = 11};
    const int fd = manifest_file(data, size, path, sizeof path);
    for (int with_inode = 0; with_inode < 2; with_inode++) {
        weir__vouch *const vouch = weir__vouch_open(path, with_inode);
        weir__listing *const listing = vouch ? weir__vouch_find(vouch, "a.so", &st) : NULL;
        if (listing) check(listing);
        weir__listing_free(listing);
        weir__vouch_close(vouch);
    }
    close(fd);
    return 0;
}
