#include "CImageCodecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

typedef struct {
  png_structp reader;
  png_infop info;
  png_bytep *rows;
  const uint8_t *next;
  size_t rest;
  ic_message *message;
} png_state;

static void fail(png_structp reader, png_const_charp text) {
  png_state *state = png_get_error_ptr(reader);
  snprintf(state->message->text, sizeof state->message->text, "%.180s", text);
  png_longjmp(reader, 1);
}

static void ignore_warning(png_structp reader, png_const_charp text) {
  (void)reader;
  (void)text;
}

static void read_bytes(png_structp reader, png_bytep target, size_t count) {
  png_state *state = png_get_io_ptr(reader);
  if (count > state->rest) png_error(reader, "premature end of file");
  memcpy(target, state->next, count);
  state->next += count;
  state->rest -= count;
}

static int begin(png_state *state, const uint8_t *bytes, size_t count, ic_message *message) {
  memset(state, 0, sizeof *state);
  state->next = bytes;
  state->rest = count;
  state->message = message;
  state->reader = png_create_read_struct(PNG_LIBPNG_VER_STRING, state, fail, ignore_warning);
  if (state->reader) state->info = png_create_info_struct(state->reader);
  if (!state->info) {
    snprintf(message->text, sizeof message->text, "libpng can't start: out of memory");
    png_destroy_read_struct(&state->reader, NULL, NULL);
    return 0;
  }
  png_set_read_fn(state->reader, state, read_bytes);
  return 1;
}

static void end(png_state *state) {
  free(state->rows);
  png_destroy_read_struct(&state->reader, &state->info, NULL);
}

static void read_header(png_state *state, ic_header *header) {
  png_read_info(state->reader, state->info);
  header->width = (int32_t)png_get_image_width(state->reader, state->info);
  header->height = (int32_t)png_get_image_height(state->reader, state->info);
  int has_colour = png_get_color_type(state->reader, state->info) & PNG_COLOR_MASK_COLOR;
  header->channels = has_colour ? 3 : 1;
}

int ic_png_header(const uint8_t *bytes, size_t count, ic_header *header, ic_message *message) {
  png_state state;
  if (!begin(&state, bytes, count, message)) return 0;
  if (setjmp(png_jmpbuf(state.reader))) {
    end(&state);
    return 0;
  }
  read_header(&state, header);
  end(&state);
  return 1;
}

int ic_png_pixels(const uint8_t *bytes, size_t count, const ic_header *header, uint8_t *pixels,
                  ic_message *message) {
  png_state state;
  if (!begin(&state, bytes, count, message)) return 0;
  if (setjmp(png_jmpbuf(state.reader))) {
    end(&state);
    return 0;
  }
  ic_header own;
  read_header(&state, &own);
  png_set_palette_to_rgb(state.reader);
  png_set_expand_gray_1_2_4_to_8(state.reader);
  png_set_strip_16(state.reader);
  png_set_strip_alpha(state.reader);
  png_set_interlace_handling(state.reader);
  png_read_update_info(state.reader, state.info);
  size_t stride = (size_t)header->width * (size_t)header->channels;
  if (memcmp(&own, header, sizeof own) != 0 ||
      png_get_rowbytes(state.reader, state.info) != stride) {
    png_error(state.reader, "its header changed");
  }
  state.rows = malloc((size_t)header->height * sizeof *state.rows);
  if (!state.rows) png_error(state.reader, "out of memory");
  for (size_t y = 0; y < (size_t)header->height; y++) state.rows[y] = pixels + y * stride;
  png_read_image(state.reader, state.rows);
  png_read_end(state.reader, NULL);
  end(&state);
  return 1;
}
