/* function.c - see function.h. */
#define _GNU_SOURCE /* dladdr1 */
#include "function.h"

#include <dlfcn.h>
#include <errno.h>
#include <fenv.h>
#include <limits.h>
#include <link.h>

/* ---- signatures ------------------------------------------------------------------------------------------------- */

static ffi_type *type_of(char letter)
{
    switch (letter) {
    case 'd':
        return &ffi_type_double;
    case 'f':
        return &ffi_type_float;
    case 'i':
        return &ffi_type_sint;
    case 'l':
        return &ffi_type_slong;
    default:
        return NULL;
    }
}

int WEIR_NAME(foreign_signature)(foreign_function *f, const char *text, char *why, size_t room)
{
    const size_t length = strlen(text);
    const int formed = length >= 4 && text[1] == '(' && text[length - 1] == ')' && strchr("df", text[0]);
    if (!formed || length - 3 > FOREIGN_ARGUMENTS || strspn(text + 2, "dfil") != length - 3) {
        snprintf(
            why, room,
            "\"%.40s\" is no signature: d(d), f(f) or the like is, with d double, f float, i int, l long",
            text);
        return 0;
    }
    f->gives = text[0];
    f->count = (int32_t)length - 3;
    memcpy(f->takes, text + 2, (size_t)f->count);
    return 1;
}

/* ---- libraries --------------------------------------------------------------------------------------------------- */

/* ./NAME lies beside the declaration. */
static int path_of(const foreign_function *f, const char *beside, char *path, size_t room)
{
    const char *const slash = strrchr(beside, '/');
    const int here = strncmp(f->library, "./", 2) == 0 && !strchr(f->library + 2, '/') && slash;
    const int written =
        here ? snprintf(path, room, "%.*s%s", (int)(slash - beside + 1), beside, f->library + 2)
             : snprintf(path, room, "%s", f->library);
    return written > 0 && (size_t)written < room &&
           (here || f->library[0] == '/' || !strchr(f->library, '/'));
}

/* Data would be run as code. */
static int is_data(const void *address)
{
    Dl_info info;
    void *extra = NULL;
    if (!dladdr1(address, &info, &extra, RTLD_DL_SYMENT) || !extra || info.dli_saddr != address) return 0;
    const ElfW(Sym) *const symbol = extra;
    return (symbol->st_info & 15) == STT_OBJECT || (symbol->st_info & 15) == STT_TLS;
}

/* The kind of processor that a file is built for; -1: it is no ELF file. */
static int machine_of(const char *path)
{
    ElfW(Ehdr) head;
    FILE *const file = fopen(path, "rb");
    const size_t read = file ? fread(&head, sizeof head, 1, file) : 0;
    if (file) fclose(file);
    return read == 1 && memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 ? head.e_machine : -1;
}

/* The loader calls a library of another machine one that is not there. */
static int say_unusable(const foreign_function *f, const char *path, char *why, size_t room)
{
    const char *const reason = dlerror();
    const int machine = strchr(path, '/') ? machine_of(path) : -1, own = machine_of("/proc/self/exe");
    if (machine >= 0 && own >= 0 && machine != own)
        snprintf(why, room,
                 "library %.100s cannot be used: it is built for another machine (ELF %d, this is %d)",
                 f->library, machine, own);
    else
        snprintf(why, room, "library %.100s cannot be used: %.200s", f->library,
                 reason ? reason : "no reason given");
    return 0;
}

static int find_symbol(foreign_function *f, char *why, size_t room)
{
    void *const address = dlsym(f->handle, f->symbol);
    if (!address) return snprintf(why, room, "library %s has no symbol \"%s\"", f->library, f->symbol), 0;
    if (is_data(address))
        return snprintf(why, room, "\"%s\" of library %s is no function but data", f->symbol, f->library), 0;
    memcpy(&f->address, &address, sizeof f->address);
    for (int32_t i = 0; i < f->count; i++) f->types[i] = type_of(f->takes[i]);
    if (ffi_prep_cif(&f->cif, FFI_DEFAULT_ABI, (unsigned)f->count, type_of(f->gives), f->types) == FFI_OK)
        return 1;
    return snprintf(why, room, "libffi cannot call \"%s\" by this signature", f->symbol), 0;
}

int WEIR_NAME(foreign_open)(foreign_function *f, const char *beside, char *why, size_t room)
{
    char path[PATH_MAX];
    fenv_t settings;
    if (!path_of(f, beside, path, sizeof path))
        return snprintf(
                   why, room,
                   "library \"%.100s\" is no bare name (libm.so.6), no absolute path, and no ./NAME beside the "
                   "declaration",
                   f->library),
               0;
    fegetenv(&settings);
    f->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    fesetenv(&settings); /* a library may be linked with -ffast-math */
    if (!f->handle) return say_unusable(f, path, why, room);
    return find_symbol(f, why, room);
}

void WEIR_NAME(foreign_close)(foreign_function *f)
{
    if (f->handle) dlclose(f->handle);
    f->handle = NULL;
}

/* ---- calls --------------------------------------------------------------------------------------------------------- */

typedef union slot {
    double d;
    float f;
    int i;
    long l;
    ffi_arg word; /* no result is shorter than this */
} slot;

static void put(slot *to, char type, double value)
{
    switch (type) {
    case 'd':
        to->d = value;
        break;
    case 'f':
        to->f = (float)value;
        break;
    case 'i':
        to->i = (int)value;
        break;
    default:
        to->l = (long)value;
        break;
    }
}

static void call_all(const foreign_function *f, int32_t n, const double *x, double *y)
{
    slot slots[FOREIGN_ARGUMENTS], result = {0};
    void *places[FOREIGN_ARGUMENTS];
    ffi_cif cif = f->cif; /* ffi_call takes one that is not constant */
    for (int32_t k = 0; k < f->count; k++) {
        places[k] = &slots[k];
        put(&slots[k], f->takes[k], f->constants[k]);
    }
    for (int32_t i = 0; i < n; i++) {
        put(&slots[f->place], f->takes[f->place], x[i]);
        ffi_call(&cif, f->address, &result, places);
        y[i] = f->gives == 'd' ? result.d : (double)result.f;
    }
}

void WEIR_NAME(foreign_evaluate)(const foreign_function *f, int32_t n, const double *x, double *y)
{
    const int kept = errno;
    fenv_t settings;
    fegetenv(&settings);
    if (f->count == 1 && f->gives == 'd' && f->takes[0] == 'd') {
        double (*const call)(double) = (double (*)(double))f->address;
        for (int32_t i = 0; i < n; i++) y[i] = call(x[i]);
    } else if (f->count == 1 && f->gives == 'f' && f->takes[0] == 'f') {
        float (*const call)(float) = (float (*)(float))f->address;
        for (int32_t i = 0; i < n; i++) y[i] = (double)call((float)x[i]);
    } else {
        call_all(f, n, x, y);
    }
    fesetenv(&settings);
    errno = kept;
}
