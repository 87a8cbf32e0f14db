/* elf.c - checking an ELF file without loading it.
 *
 * SPDX-License-Identifier: MIT
 *
 * The loader maps a truncated file without complaint and the process dies with SIGBUS at the first page that is not
 * there; for another machine's file it says "cannot open shared object file". So the bytes are checked first, and the
 * user hears what is really wrong. Pure: every offset in the file is hostile, and goes through `span`, the only place
 * that turns one into a pointer. Structures are copied out, since nothing says they are aligned.
 */
#include "plugin/elf.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#if defined(__x86_64__)
#define HOST_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define HOST_MACHINE EM_AARCH64
#elif defined(__i386__)
#define HOST_MACHINE EM_386
#elif defined(__arm__)
#define HOST_MACHINE EM_ARM
#elif defined(__riscv)
#define HOST_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define HOST_MACHINE EM_PPC64
#elif defined(__s390__)
#define HOST_MACHINE EM_S390
#else
#define HOST_MACHINE EM_NONE /* unknown: the machine is not compared */
#endif

#define HOST_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)

typedef struct image {
    const unsigned char *data;
    uint64_t size;
    ElfW(Ehdr) header;
    weir_error *error;
} image;

/* Where the dynamic linker finds names; file offsets, 0: none. */
typedef struct symbols {
    uint64_t table, strings, strings_size, gnu_hash, hash;
} symbols;

static const void *span(const image *im, uint64_t offset, uint64_t length)
{
    if (offset > im->size || length > im->size - offset) return NULL;
    return im->data + offset;
}

static int copy(const image *im, uint64_t offset, void *to, size_t length)
{
    const void *const from = span(im, offset, length);
    if (from) memcpy(to, from, length);
    return from != NULL;
}

static const char *machine_name(unsigned machine)
{
    static const struct {
        unsigned machine;
        const char *name;
    } names[] = {{EM_X86_64, "x86-64"}, {EM_AARCH64, "aarch64"}, {EM_386, "i386"},   {EM_ARM, "arm"},
                 {EM_RISCV, "riscv"},   {EM_PPC64, "ppc64"},     {EM_S390, "s390x"}, {EM_MIPS, "mips"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].machine == machine) return names[i].name;
    return "an unknown machine";
}

static int host_byte_order(void)
{
    const uint16_t one = 1;
    return *(const unsigned char *)&one ? ELFDATA2LSB : ELFDATA2MSB;
}

static weir_status check_type(const image *im)
{
    const unsigned type = im->header.e_type;
    if (type == ET_DYN) return WEIR_OK;
    const char *const what = type == ET_REL    ? "an object file (.o)"
                             : type == ET_EXEC ? "a program"
                             : type == ET_CORE ? "a core dump"
                                               : "an ELF file of an unknown type";
    return weir__fail(im->error, WEIR_INVALID, "%s, not a shared object; link it with -shared", what);
}

static weir_status check_header(image *im)
{
    const unsigned char *const ident = im->data;
    if (im->size < SELFMAG || memcmp(ident, ELFMAG, SELFMAG) != 0)
        return weir__fail(im->error, WEIR_INVALID, "not an ELF file; a plugin is a shared object");
    if (im->size < EI_NIDENT)
        return weir__fail(im->error, WEIR_INVALID, "truncated: %llu bytes, shorter than an ELF header",
                          (unsigned long long)im->size);
    if (ident[EI_CLASS] != HOST_CLASS)
        return weir__fail(im->error, WEIR_INVALID, "built for %s bits, this host has %zu; rebuild it",
                          ident[EI_CLASS] == ELFCLASS32   ? "32"
                          : ident[EI_CLASS] == ELFCLASS64 ? "64"
                                                          : "an unknown number of",
                          sizeof(void *) * 8);
    if (ident[EI_DATA] != host_byte_order())
        return weir__fail(im->error, WEIR_INVALID, "%s-endian, this host is %s-endian; rebuild it",
                          ident[EI_DATA] == ELFDATA2MSB ? "big" : "not big",
                          host_byte_order() == ELFDATA2MSB ? "big" : "little");
    if (!copy(im, 0, &im->header, sizeof im->header))
        return weir__fail(im->error, WEIR_INVALID, "truncated: %llu bytes, shorter than an ELF header",
                          (unsigned long long)im->size);
    const unsigned machine = im->header.e_machine;
    if (HOST_MACHINE != EM_NONE && machine != HOST_MACHINE)
        return weir__fail(im->error, WEIR_INVALID, "built for %s (machine %u), this host is %s; rebuild it",
                          machine_name(machine), machine, machine_name(HOST_MACHINE));
    return check_type(im);
}

static int segment(const image *im, unsigned i, ElfW(Phdr) * out)
{
    return copy(im, im->header.e_phoff + (uint64_t)i * im->header.e_phentsize, out, sizeof *out);
}

/* Every byte that the loader would map must be there. */
static weir_status check_segments(const image *im)
{
    if (im->header.e_phentsize < sizeof(ElfW(Phdr)) || im->header.e_phnum == PN_XNUM)
        return weir__fail(im->error, WEIR_INVALID, "damaged: program headers of %u bytes",
                          (unsigned)im->header.e_phentsize);
    unsigned loaded = 0;
    for (unsigned i = 0; i < im->header.e_phnum; i++) {
        ElfW(Phdr) p;
        if (im->header.e_phoff > im->size || !segment(im, i, &p))
            return weir__fail(im->error, WEIR_INVALID, "truncated: program header %u lies past the end", i);
        if (p.p_type == PT_LOAD) loaded++;
        if ((p.p_type == PT_LOAD || p.p_type == PT_DYNAMIC) && !span(im, p.p_offset, p.p_filesz))
            return weir__fail(
                im->error, WEIR_INVALID,
                "truncated: segment %u is %llu bytes from byte %llu, the file has %llu; copy it again", i,
                (unsigned long long)p.p_filesz, (unsigned long long)p.p_offset, (unsigned long long)im->size);
        if (p.p_type == PT_GNU_STACK && (p.p_flags & PF_X))
            return weir__fail(im->error, WEIR_INVALID,
                              "asks for an executable stack; link it with -Wl,-z,noexecstack");
    }
    if (!loaded) return weir__fail(im->error, WEIR_INVALID, "damaged: nothing in it is to be loaded");
    return WEIR_OK;
}

/* ---- the exported symbol ------------------------------------------------------------------------ */

/* The file offset of an address, 0 when no segment holds it. */
static uint64_t offset_of(const image *im, uint64_t address)
{
    for (unsigned i = 0; i < im->header.e_phnum; i++) {
        ElfW(Phdr) p;
        if (!segment(im, i, &p) || p.p_type != PT_LOAD) continue;
        if (address >= p.p_vaddr && address - p.p_vaddr < p.p_filesz) return address - p.p_vaddr + p.p_offset;
    }
    return 0;
}

static weir_status take_dynamic(const image *im, const ElfW(Dyn) * d, symbols *out)
{
    const uint64_t value = d->d_un.d_val;
    if (d->d_tag == DT_SYMTAB) out->table = offset_of(im, value);
    if (d->d_tag == DT_STRTAB) out->strings = offset_of(im, value);
    if (d->d_tag == DT_STRSZ) out->strings_size = value;
    if (d->d_tag == DT_GNU_HASH) out->gnu_hash = offset_of(im, value);
    if (d->d_tag == DT_HASH) out->hash = offset_of(im, value);
    if (d->d_tag == DT_FLAGS_1 && (value & DF_1_PIE))
        return weir__fail(im->error, WEIR_INVALID, "a program, not a shared object; link it with -shared");
    return WEIR_OK;
}

static weir_status read_dynamic(const image *im, symbols *out)
{
    ElfW(Phdr) p;
    unsigned i = 0;
    while (i < im->header.e_phnum && segment(im, i, &p) && p.p_type != PT_DYNAMIC) i++;
    if (i == im->header.e_phnum)
        return weir__fail(im->error, WEIR_INVALID, "not dynamically linked; link it with -shared");
    for (uint64_t at = 0; at + sizeof(ElfW(Dyn)) <= p.p_filesz; at += sizeof(ElfW(Dyn))) {
        ElfW(Dyn) d;
        if (!copy(im, p.p_offset + at, &d, sizeof d) || d.d_tag == DT_NULL) break;
        const weir_status status = take_dynamic(im, &d, out);
        if (status) return status;
    }
    return WEIR_OK;
}

/* The GNU hash table does not say how many symbols there are: they end where the last bucket's chain does. */
static uint64_t gnu_count(const image *im, uint64_t at)
{
    uint32_t head[4], last = 0, entry; /* buckets, first symbol, bloom words, bloom shift */
    if (!copy(im, at, head, sizeof head)) return 0;
    const uint64_t buckets = at + sizeof head + (uint64_t)head[2] * sizeof(ElfW(Addr));
    for (uint32_t b = 0; b < head[0]; b++) {
        if (!copy(im, buckets + (uint64_t)b * 4, &entry, 4)) return 0;
        if (entry > last) last = entry;
    }
    if (last < head[1]) return 0;
    const uint64_t chain = buckets + (uint64_t)head[0] * 4;
    for (;; last++) {
        if (!copy(im, chain + (uint64_t)(last - head[1]) * 4, &entry, 4)) return 0;
        if (entry & 1) return (uint64_t)last + 1;
    }
}

static uint64_t symbol_count(const image *im, const symbols *s)
{
    uint32_t head[2] = {0, 0}; /* buckets, symbols */
    if (s->gnu_hash) return gnu_count(im, s->gnu_hash);
    if (s->hash && copy(im, s->hash, head, sizeof head)) return head[1];
    return 0;
}

static int is_entry(const image *im, const symbols *s, const ElfW(Sym) * symbol)
{
    static const char name[] = WEIR_PLUGIN_SYMBOL;
    if (symbol->st_shndx == SHN_UNDEF || symbol->st_name >= s->strings_size) return 0;
    const void *const text = span(im, s->strings + symbol->st_name, sizeof name);
    return text && memcmp(text, name, sizeof name) == 0;
}

static weir_status check_symbol(const image *im)
{
    symbols s = {0, 0, 0, 0, 0};
    const weir_status status = read_dynamic(im, &s);
    if (status) return status;
    const uint64_t count = s.table && s.strings ? symbol_count(im, &s) : 0;
    for (uint64_t i = 0; i < count; i++) {
        ElfW(Sym) symbol;
        if (!copy(im, s.table + i * sizeof symbol, &symbol, sizeof symbol)) break;
        if (!is_entry(im, &s, &symbol)) continue;
        if ((symbol.st_info & 0xf) == STT_FUNC || (symbol.st_info & 0xf) == STT_GNU_IFUNC) return WEIR_OK;
        return weir__fail(im->error, WEIR_INVALID,
                          "exports %s, but not as a function; build it with weir_add_plugin",
                          WEIR_PLUGIN_SYMBOL);
    }
    return weir__fail(im->error, WEIR_INVALID,
                      "not a plugin: it does not export the function %s; build it with weir_add_plugin",
                      WEIR_PLUGIN_SYMBOL);
}

weir_status weir__elf_check(const unsigned char *data, int64_t size, weir_error *error)
{
    image im = {.data = data, .size = (uint64_t)size, .error = error};
    weir_status status = check_header(&im);
    if (!status) status = check_segments(&im);
    if (!status) status = check_symbol(&im);
    return status;
}
