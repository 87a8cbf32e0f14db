/* state.c - libFuzzer on what a model file holds of its modules: tensors with any numbers, and files with bytes changed or
 * cut off, for every row of the conformance suite. Refused, or borne in every use.
 *
 * Input: two bytes for the row, one for dtype and way (below), the rest its bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "api/api.h"
#include "scenes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TENSORS, RAW_TENSORS, ALTERED_FILE, ALTERED_CHECKPOINT, WAYS };

typedef struct stage {
    weir_model *model;
    int tried;
    unsigned char *parameters, *buffers, *integers; /* as built */
    unsigned char *file[2];                         /* as a model file, and as a checkpoint */
    int64_t size[2];
} stage;

static void *copy_of(const void *memory, int64_t size)
{
    void *const copy = malloc((size_t)size + 1);
    if (!copy) abort();
    return memcpy(copy, memory, (size_t)size);
}

/* ---- files ---------------------------------------------------------------------------------------------------------- */

/* A checksum would catch every change before anything looks at it: its keys get another name of the same length. */
static void forget_checksums(unsigned char *file, int64_t size)
{
    for (unsigned char *at = file; (at = memmem(at, (size_t)(file + size - at), "_crc32", 6)); at++)
        at[5] = 'x';
}

static void keep_file(stage *s, int which)
{
    char path[] = "/dev/shm/weir-fuzz-XXXXXX"; /* in memory: a saved model is synced */
    weir_trainer *trainer = NULL;
    const int fd = mkstemp(path);
    if (fd < 0) abort();
    weir_status status;
    if (which) {
        status = weir_trainer_create(s->model, NULL, &trainer, NULL);
        if (!status) status = weir_trainer_save(trainer, path, NULL, NULL);
        weir_trainer_close(trainer);
    } else {
        status = weir_model_save(s->model, path, NULL);
    }
    FILE *const file = fopen(path, "rb");
    if (!status && file && !fseek(file, 0, SEEK_END)) {
        s->size[which] = ftell(file);
        s->file[which] = malloc((size_t)s->size[which] + 1);
        rewind(file);
        if (!s->file[which] ||
            fread(s->file[which], 1, (size_t)s->size[which], file) != (size_t)s->size[which])
            abort();
        forget_checksums(s->file[which], s->size[which]);
    }
    if (file) fclose(file);
    close(fd);
    unlink(path);
}

/* ---- stages ----------------------------------------------------------------------------------------------------------- */

static stage *stage_of(unsigned number, unsigned precise)
{
    static stage stages[SCENES][2];
    stage *const s = &stages[number % SCENES][precise];
    if (s->tried) return s->model ? s : NULL;
    s->tried = 1;
    s->model = scene_model(&scenes[number % SCENES], precise ? "f64" : "f32");
    if (!s->model) return NULL;
    const weir__net *const net = &s->model->net;
    s->parameters = copy_of(net->parameters, net->parameter_bytes);
    s->buffers = copy_of(net->buffers, net->buffer_bytes);
    s->integers = copy_of(net->integers, net->integer_bytes);
    keep_file(s, 0);
    keep_file(s, 1);
    return s;
}

static void restore(stage *s)
{
    const weir__net *const net = &s->model->net;
    memcpy(net->parameters, s->parameters, (size_t)net->parameter_bytes);
    memcpy(net->buffers, s->buffers, (size_t)net->buffer_bytes);
    memcpy(net->integers, s->integers, (size_t)net->integer_bytes);
    weir__model_changed(s->model);
}

/* ---- hostile states ----------------------------------------------------------------------------------------------------- */

static void write_numbers(stage *s, bytes *b)
{
    const int64_t count = weir_model_get(s->model, WEIR_MODEL_TENSORS);
    for (int64_t i = 0; i < count && b->at < b->end; i++) {
        weir_tensor_info info = {.struct_size = (uint32_t)sizeof info};
        if (weir_tensor_at(s->model, i, &info, NULL)) abort();
        double *const values = calloc((size_t)info.count + 1, sizeof *values);
        if (!values || weir_tensor_read(s->model, i, values, info.count, NULL)) abort();
        for (int64_t k = 0; k < info.count && b->at < b->end; k++) values[k] = next_number(b);
        weir_tensor_write(s->model, i, values, info.count, NULL);
        free(values);
    }
}

/* Bit patterns that no number stands for, and integers as large as they come. */
static void write_bits(stage *s, bytes *b)
{
    const weir__net *const net = &s->model->net;
    void *const arenas[] = {net->integers, net->buffers, net->parameters};
    const int64_t sizes[] = {net->integer_bytes, net->buffer_bytes, net->parameter_bytes};
    for (int a = 0; a < 3; a++)
        for (int64_t at = 0; at < sizes[a] && b->at < b->end; at++)
            ((unsigned char *)arenas[a])[at] ^= (unsigned char)next_byte(b);
    weir__model_changed(s->model);
}

/* Bytes at places of their own are changed, and the end may be cut off. */
static void alter_file(stage *s, int which, bytes *b)
{
    char path[64];
    if (!s->file[which]) return;
    unsigned char *const file = copy_of(s->file[which], s->size[which]);
    int64_t size = s->size[which];
    if (next_byte(b) & 1) size -= (int64_t)(next_byte(b) | next_byte(b) << 8) % size;
    for (int i = 0; i < 8 && b->at < b->end; i++) {
        const int64_t at = (int64_t)(next_byte(b) | next_byte(b) << 8) % (size ? size : 1);
        if (size) file[at] = (unsigned char)next_byte(b);
    }
    const int fd = memory_file(file, (size_t)size, path, sizeof path);
    free(file);
    weir_model *model = NULL;
    weir_trainer *trainer = NULL;
    if (!which && !weir_model_load(installed(), path, &model, NULL)) {
        if (weir_model_get(model, WEIR_MODEL_FEATURES) <= 64) put_to_use(model, b);
        weir_model_close(model);
    }
    if (which && !weir_trainer_create(s->model, NULL, &trainer, NULL)) {
        char *loop = NULL;
        if (!weir_trainer_resume(trainer, path, &loop, NULL)) put_to_use(s->model, b);
        weir_free(loop);
        weir_trainer_close(trainer);
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4) return 0;
    const unsigned way = data[2] >> 1;
    stage *const s = stage_of(data[0] | (unsigned)data[1] << 8, data[2] & 1);
    bytes b = {data + 3, data + size};
    if (!s) return 0;
    restore(s);
    switch (way % WAYS) {
    case TENSORS:
        write_numbers(s, &b);
        break;
    case RAW_TENSORS:
        write_bits(s, &b);
        break;
    case ALTERED_FILE:
        alter_file(s, 0, &b);
        return 0;
    default:
        alter_file(s, 1, &b);
        return 0;
    }
    b.at = data + 3; /* rows of the same bytes: few inputs are long enough for both */
    put_to_use(s->model, &b);
    return 0;
}
