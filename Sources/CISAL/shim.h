#ifndef HOLDFAST_CISAL_SHIM_H
#define HOLDFAST_CISAL_SHIM_H

// One call a stream over ISA-L's igzip, in zlib format (RFC 1950).
//
// The states go to Swift as `void *`: they hold arrays of thousands of elements, which Swift
// would import as tuples. A state points into itself and stays where it was allocated; `free`
// ends it.

#include <isa-l/igzip_lib.h>
#include <stdlib.h>

struct holdfast_isal_deflater {
    struct isal_zstream stream;
    uint8_t level_buffer[ISAL_DEF_LVL2_DEFAULT];
};

static inline void *holdfast_isal_allocate(size_t size) {
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

/// NULL where there is no memory.
static inline void *holdfast_isal_deflater_create(void) {
    struct holdfast_isal_deflater *state =
        (struct holdfast_isal_deflater *)holdfast_isal_allocate(sizeof *state);
    if (state != NULL) isal_deflate_init(&state->stream);
    return state;
}

/// Compresses at level 2; bytes written, or 0 where the stream does not fit the output.
static inline uint32_t holdfast_isal_deflate(
    void *opaque, const void *input, uint32_t input_size, void *output, uint32_t output_size) {
    struct holdfast_isal_deflater *state = (struct holdfast_isal_deflater *)opaque;
    struct isal_zstream *stream = &state->stream;
    isal_deflate_reset(stream);
    stream->level = 2;
    stream->level_buf = state->level_buffer;
    stream->level_buf_size = sizeof state->level_buffer;
    stream->gzip_flag = IGZIP_ZLIB;
    stream->flush = NO_FLUSH;
    stream->end_of_stream = 1;
    stream->next_in = (uint8_t *)input;
    stream->avail_in = input_size;
    stream->next_out = (uint8_t *)output;
    stream->avail_out = output_size;
    return isal_deflate_stateless(stream) == COMP_OK ? stream->total_out : 0;
}

/// NULL where there is no memory.
static inline void *holdfast_isal_inflater_create(void) {
    struct inflate_state *state =
        (struct inflate_state *)holdfast_isal_allocate(sizeof *state);
    if (state != NULL) isal_inflate_init(state);
    return state;
}

static inline void holdfast_isal_inflater_begin(
    struct inflate_state *state, const void *input, uint32_t input_size, void *output,
    uint32_t output_size, uint32_t format) {
    isal_inflate_reset(state);
    state->crc_flag = format;
    state->next_in = (uint8_t *)input;
    state->avail_in = input_size;
    state->next_out = (uint8_t *)output;
    state->avail_out = output_size;
}

/// Whether the stream ended, its checksum fitted, it left no input and filled the output.
/// The stateful decoder looks ahead: whole bytes in `read_in` are input that was left.
static inline int holdfast_isal_inflater_is_complete(const struct inflate_state *state) {
    return state->block_state == ISAL_BLOCK_FINISH && state->avail_in == 0
        && state->read_in_length < 8 && state->avail_out == 0;
}

/// 1 where a zlib stream without preset dictionary is all of the input and fills the output.
static inline int holdfast_isal_inflate(
    void *opaque, const void *input, uint32_t input_size, void *output, uint32_t output_size) {
    struct inflate_state *state = (struct inflate_state *)opaque;
    holdfast_isal_inflater_begin(state, input, input_size, output, output_size, ISAL_ZLIB);
    return isal_inflate_stateless(state) == ISAL_DECOMP_OK
        && holdfast_isal_inflater_is_complete(state);
}

/// The same for what follows the header of a stream with a preset dictionary of at most 32 KiB.
static inline int holdfast_isal_inflate_after_header(
    void *opaque, const void *input, uint32_t input_size, const void *dictionary,
    uint32_t dictionary_size, void *output, uint32_t output_size) {
    struct inflate_state *state = (struct inflate_state *)opaque;
    holdfast_isal_inflater_begin(
        state, input, input_size, output, output_size, ISAL_ZLIB_NO_HDR_VER);
    return isal_inflate_set_dict(state, (uint8_t *)dictionary, dictionary_size) == COMP_OK
        && isal_inflate(state) == ISAL_DECOMP_OK && holdfast_isal_inflater_is_complete(state);
}

#endif
