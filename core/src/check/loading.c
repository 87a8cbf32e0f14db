/* loading.c - the checks of a plugin file, each in a process that has not yet loaded it. */
#include "check/loading.h"

#include "check/checks.h"
#include "check/object.h"
#include "check/scene.h"
#include "check/surroundings.h"
#include "plugin/handshake.h"
#include "plugin/load.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- that it loads ---- */

static void tell_listing(const weir__loaded *loaded, weir__verdict *verdict)
{
    weir__listing *const listing = weir__loaded_listing(loaded);
    json_t *const object = listing ? weir__listing_json(listing) : NULL;
    char *const text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    if (!text || strlen(text) >= sizeof weir__scene_now->words)
        weir__object(verdict, "its list of modules is too long");
    else if (weir__scene_now)
        memcpy(weir__scene_now->words, text, strlen(text) + 1);
    free(text);
    json_decref(object);
    weir__listing_free(listing);
}

void weir__check_loads(const weir__loading *loading, weir__verdict *verdict)
{
    weir__loaded loaded;
    weir_error error;
    if (weir__load(loading->path, NULL, &loaded, &error) != WEIR_OK)
        weir__object(verdict, "%.230s", error.message);
    else
        tell_listing(&loaded, verdict);
    weir__loaded_clear(&loaded);
}

/* ---- symbols ---- */

static int begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* What compilers and linkers put in by themselves. */
static int is_tool_symbol(const char *name)
{
    static const char *const names[] = {"_init", "_fini", "_edata", "_end", "__bss_start", "__end__"};
    static const char *const starts[] = {"__asan", "__odr_asan", "__ubsan",  "__tsan",      "__lsan",
                                         "__msan", "__sanit",    "__sancov", "__llvm_prof", "__llvm_gcov",
                                         "__gcov", "__start_",   "__stop_"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return 1;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (begins(name, starts[i])) return 1;
    return 0;
}

void weir__check_exports(const weir__loading *loading, weir__verdict *verdict)
{
    weir__object_file object;
    const ElfW(Sym) * symbol;
    if (!weir__object_open(&object, loading->path, verdict)) return;
    for (uint32_t i = 1; i < object.symbol_count; i++) {
        const char *const name = weir__object_symbol(&object, i, &symbol);
        const int shown = ELF64_ST_VISIBILITY(symbol->st_other) == STV_DEFAULT ||
                          ELF64_ST_VISIBILITY(symbol->st_other) == STV_PROTECTED;
        if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS || !shown) continue;
        if (ELF64_ST_BIND(symbol->st_info) == STB_LOCAL || ELF64_ST_TYPE(symbol->st_info) == STT_SECTION)
            continue;
        if (strcmp(name, WEIR_PLUGIN_SYMBOL) == 0 || is_tool_symbol(name)) continue;
        weir__object(verdict, "it exports %.100s beside " WEIR_PLUGIN_SYMBOL "; hide it", name);
    }
}

/* dlsym by the handle looks in the object and in what it needs, and not in what the process happens to have: so what it
 * does not find would come from the host, or from nobody. */
void weir__check_imports(const weir__loading *loading, weir__verdict *verdict)
{
    weir__object_file object;
    const ElfW(Sym) * symbol;
    if (!weir__object_open(&object, loading->path, verdict)) return;
    for (uint32_t i = 1; i < object.symbol_count; i++) {
        const char *const name = weir__object_symbol(&object, i, &symbol);
        if (symbol->st_shndx != SHN_UNDEF || ELF64_ST_BIND(symbol->st_info) != STB_GLOBAL) continue;
        if (is_tool_symbol(name) || dlsym(object.handle, name)) continue;
        weir__object(verdict, "it takes %.100s from whoever loads it, and from no library that it needs",
                     name);
    }
}

/* ---- libraries ---- */

static int is_among(const char *name, const char *const *starts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (begins(name, starts[i])) return 1;
    return 0;
}

/* What every process has. */
static int is_white(const char *name)
{
    static const char *const starts[] = {"libc.so",  "libm.so",    "ld-linux",  "libdl.so", "libpthread.so",
                                         "librt.so", "linux-vdso", "libc.musl", "ld-musl"};
    return is_among(name, starts, sizeof starts / sizeof *starts);
}

/* The run-time libraries of compilers: welcome undeclared, as a machine without them is rare, and told of. */
static int is_grey(const char *name)
{
    static const char *const starts[] = {"libgcc_s.so",  "libstdc++.so",   "libc++.so",      "libc++abi.so",
                                         "libunwind.so", "libgfortran.so", "libquadmath.so", "libatomic.so",
                                         "libstd-",      "libasan.so",     "libubsan.so",    "libtsan.so",
                                         "liblsan.so",   "libclang_rt"};
    return is_among(name, starts, sizeof starts / sizeof *starts);
}

static int is_openmp(const char *path)
{
    static const char *const starts[] = {"libgomp", "libomp.", "libomp-", "libiomp"};
    const char *const slash = strrchr(path, '/');
    return is_among(slash ? slash + 1 : path, starts, sizeof starts / sizeof *starts);
}

static int is_declared(const char *needs, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = needs; at && *at; at += strspn(at, " ")) {
        const size_t word = strcspn(at, " ");
        if (word == length && memcmp(at, name, length) == 0) return 1;
        at += word;
    }
    return 0;
}

static const weir_root *root_of(const weir__object_file *object, weir__verdict *verdict)
{
    weir_plugin_fn entry;
    weir_error error;
    void *const symbol = dlsym(object->handle, WEIR_PLUGIN_SYMBOL);
    if (!symbol) return weir__object(verdict, "it does not export " WEIR_PLUGIN_SYMBOL), NULL;
    memcpy(&entry, &symbol, sizeof entry);
    const weir_root *const root = entry();
    if (weir__handshake(root, &error) == WEIR_OK) return root;
    weir__object(verdict, "%.200s", error.message);
    return NULL;
}

typedef struct openmp {
    int32_t count;
    char first[80], last[80];
} openmp;

static int add_openmp(struct dl_phdr_info *info, size_t size, void *user)
{
    openmp *const found = user;
    const char *const slash = strrchr(info->dlpi_name, '/');
    (void)size;
    if (!is_openmp(info->dlpi_name)) return 0;
    if (!found->count++)
        snprintf(found->first, sizeof found->first, "%s", slash ? slash + 1 : info->dlpi_name);
    snprintf(found->last, sizeof found->last, "%s", slash ? slash + 1 : info->dlpi_name);
    return 0;
}

/* Two of them in one process run threads against each other, crash or hang. */
static void check_openmp(const char *needs, weir__verdict *verdict)
{
    openmp found = {0};
    dl_iterate_phdr(add_openmp, &found);
    if (found.count > 1)
        weir__object(verdict, "it brings a second OpenMP run-time library: %s beside %s", found.last,
                     found.first);
    else if (found.count && !is_declared(needs, found.first))
        weir__object(verdict, "it brings the OpenMP run-time library %s, and does not say so in its needs",
                     found.first);
}

void weir__check_needs(const weir__loading *loading, weir__verdict *verdict)
{
    weir__object_file object;
    const char *name;
    const weir_root *const root =
        weir__object_open(&object, loading->path, verdict) ? root_of(&object, verdict) : NULL;
    if (!root) return;
    const char *const needs = root->needs ? root->needs : "";
    check_openmp(needs, verdict);
    for (int32_t i = 0; (name = weir__object_needs(&object, i)); i++) {
        if (is_white(name) || is_declared(needs, name)) continue;
        if (is_grey(name))
            weir__remark(verdict, "needs the run-time library %.60s, which it may but does not declare",
                         name);
        else
            weir__object(verdict, "it needs %.100s, and does not say so: NEEDS of weir_add_plugin", name);
    }
}

/* ---- what is mapped ---- */

static int add_segments(struct dl_phdr_info *info, size_t size, void *user)
{
    weir__object_file *const object = user;
    (void)size;
    if (info->dlpi_addr != object->map->l_addr || strcmp(info->dlpi_name, object->map->l_name) != 0) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const uint32_t flags = info->dlpi_phdr[i].p_flags;
        if (info->dlpi_phdr[i].p_type == PT_LOAD && flags & PF_W && flags & PF_X) return 1;
        if (info->dlpi_phdr[i].p_type == PT_GNU_STACK && flags & PF_X) return 2;
    }
    return 0;
}

void weir__check_image(const weir__loading *loading, weir__verdict *verdict)
{
    weir__object_file object;
    if (!weir__object_open(&object, loading->path, verdict)) return;
    const int found = dl_iterate_phdr(add_segments, &object);
    if (found == 1) weir__object(verdict, "it has memory that is written and executed");
    if (found == 2) weir__object(verdict, "it asks for an executable stack; link it with -Wl,-z,noexecstack");
    if (object.text_relocations)
        weir__object(verdict, "its code is changed while it is loaded; compile it with -fPIC");
}

/* ---- what loading does ---- */

static void load_all(const weir__loading *loading, weir__verdict *verdict)
{
    weir__object_file object;
    const weir_root *const root =
        weir__object_open(&object, loading->path, verdict) ? root_of(&object, verdict) : NULL;
    const int32_t count = root ? root->module_count() : 0;
    for (int32_t i = 0; i < count && i < 4096; i++) {
        root->module(i, WEIR_F32);
        root->module(i, WEIR_F64);
    }
}

void weir__check_quiet_load(const weir__loading *loading, weir__verdict *verdict)
{
    weir__surroundings *const before = weir__surroundings_now();
    load_all(loading, verdict);
    weir__surroundings *const after = weir__surroundings_now();
    weir__surroundings_compare(before, after, verdict);
    weir__surroundings_free(before);
    weir__surroundings_free(after);
}

/* Nanoseconds for which this process wanted the processor and others had it: the second number. */
static double waited(void)
{
    char line[128], *end = line;
    FILE *const file = fopen("/proc/self/schedstat", "r");
    const int got = file && fgets(line, sizeof line, file) != NULL;
    if (file) fclose(file);
    if (!got) return 0;
    (void)strtoull(line, &end, 10);
    return (double)strtoull(end, NULL, 10);
}

/* Seconds that this process could have used: time that others had the processor does not count. */
static double own_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec - 1e-9 * waited();
}

void weir__check_load_time(const weir__loading *loading, weir__verdict *verdict)
{
    const double before = own_seconds();
    load_all(loading, verdict);
    weir__measure(verdict, own_seconds() - before);
    weir__remark(verdict, "seconds");
}

/* ---- the root ---- */

static void ask_junk(const weir_root *root, weir__verdict *verdict)
{
    static const int32_t precisions[] = {0, 1, 16, 33, 128, -64, INT_MAX};
    const int32_t count = root->module_count();
    const int32_t indices[] = {-1, count, count + 1, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof indices / sizeof *indices; i++)
        if (root->module(indices[i], WEIR_F32) || root->module(indices[i], WEIR_F64))
            weir__object(verdict, "of %d modules it gives one of index %d", count, indices[i]);
    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++)
        if (root->module(0, precisions[i]))
            weir__object(verdict, "it gives a module in precision %d", precisions[i]);
    if (root->extension && (root->extension("weir.no_such_thing/1") || root->extension("")))
        weir__object(verdict, "it knows an extension that nobody has defined");
}

static void compare_module(const weir_root *root, int32_t i, int32_t precision, weir__verdict *verdict)
{
    const weir_module *const module = root->module(i, precision);
    const weir_module *const other = root->module(i, precision == WEIR_F32 ? WEIR_F64 : WEIR_F32);
    if (module != root->module(i, precision))
        weir__object(verdict, "module %d is somewhere else each time it is asked for", i);
    if (!module) return;
    if (module->precision != precision) weir__object(verdict, "module %d is of the other precision", i);
    if (other && strcmp(other->id, module->id) != 0)
        weir__object(verdict, "module %d is %.40s in one precision and %.40s in the other", i, module->id,
                     other->id);
    if (WEIR_HAS(module, extension) && module->extension && module->extension("weir.no_such_thing/1"))
        weir__object(verdict, "%.40s knows an extension that nobody has defined", module->id);
}

void weir__check_junk_ids(const weir__loading *loading, weir__verdict *verdict)
{
    weir__object_file object;
    const weir_root *const root =
        weir__object_open(&object, loading->path, verdict) ? root_of(&object, verdict) : NULL;
    if (!root) return;
    ask_junk(root, verdict);
    for (int32_t i = 0; i < root->module_count() && i < 4096; i++) {
        compare_module(root, i, WEIR_F32, verdict);
        compare_module(root, i, WEIR_F64, verdict);
    }
}

void weir__check_same_root(const weir__loading *loading, weir__verdict *verdict)
{
    weir__object_file object;
    const weir_root *const root =
        weir__object_open(&object, loading->path, verdict) ? root_of(&object, verdict) : NULL;
    if (!root) return;
    const weir_root copy = *root;
    for (int32_t again = 0; again < 3; again++)
        if (root_of(&object, verdict) != root)
            weir__object(verdict, WEIR_PLUGIN_SYMBOL " gives another root each time it is called");
    if (memcmp(&copy, root, sizeof copy) != 0)
        weir__object(verdict, "the root changes when " WEIR_PLUGIN_SYMBOL " is called again");
}
