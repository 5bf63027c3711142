/* Runs rectangles from standard input, each array in an allocation of its own size, and writes the
   arrays that change to standard output. It is compiled with sanitizers; `text.c` is the C text.

   Arrays come as chunks at byte positions: between chunks there is nothing, so that an array may be
   larger than memory. EMULATED stands in for a processor that multiplies pairs of bfloat16. */

#include <stdio.h>
#include <sys/mman.h>
#ifdef EMULATED
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

static float of_bfloat16(uint16_t bits) {
  const uint32_t wide = (uint32_t)bits << 16;
  float found;
  memcpy(&found, &wide, 4);
  return found;
}

static __m512 emulated_dpbf16(__m512 sum, __m512bh one, __m512bh other) {
  float sums[16];
  uint16_t ones[32], others[32];
  memcpy(sums, &sum, 64), memcpy(ones, &one, 64), memcpy(others, &other, 64);
  for (int x = 0; x < 32; x++) sums[x / 2] += of_bfloat16(ones[x]) * of_bfloat16(others[x]);
  return _mm512_loadu_ps(sums);
}

static __m256i emulated_rounded(__m512 some) {
  uint32_t bits[16];
  uint16_t found[16];
  memcpy(bits, &some, 64);
  for (int x = 0; x < 16; x++)
    found[x] = (bits[x] & 0x7fffffff) > 0x7f800000 /* NaN */
                   ? bits[x] >> 16 | 64
                   : (bits[x] + 0x7fff + (bits[x] >> 16 & 1)) >> 16;
  return _mm256_loadu_si256((__m256i *)found);
}

#define __AVX512BF16__ 1
#define _mm512_dpbf16_ps emulated_dpbf16
#define _mm512_cvtneps_pbh emulated_rounded
#endif

/* Parts of a thread's memory have a gap after them that nothing may touch. */
#define GAP 64
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size)
#endif
#define guarded_part(memory, count) \
  (*(memory) += (count) + GAP, poisoned(*(memory) - (count) - GAP, (count)))

static float *poisoned(float *start, long long count) {
  ASAN_POISON_MEMORY_REGION(start + count, GAP * sizeof(float));
  return start;
}

#include "text.c"

#define ARRAYS 64
#define HUGE_SIZE (1LL << 30)

typedef struct {
  char *start;
  int64_t size, offset, chunks;
  int64_t at[64], length[64];
} Array;

static void receive(void *to, size_t size) {
  if (size && fread(to, size, 1, stdin) != 1) exit(3);
}

static int64_t receive_number(void) {
  int64_t found;
  receive(&found, 8);
  return found;
}

/* The array starts `offset` bytes after an address that 16 divides. */
static char *receive_array(Array *a) {
  if ((a->size = receive_number()) < 0) return 0;
  a->offset = receive_number();
  const size_t whole = a->size + a->offset;
  a->start = a->size < HUGE_SIZE ? malloc(whole)
                                 : mmap(0, whole, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (!a->start || a->start == MAP_FAILED) exit(4);
  if ((a->chunks = receive_number()) > 64) exit(3);
  for (int64_t x = 0; x < a->chunks; x++) {
    a->at[x] = receive_number(), a->length[x] = receive_number();
    receive(a->start + a->offset + a->at[x], a->length[x]);
  }
  return a->start + a->offset;
}

static void send_array(const Array *a) {
  for (int64_t x = 0; x < a->chunks; x++)
    fwrite(a->start + a->offset + a->at[x], 1, a->length[x], stdout);
}

static void release_array(Array *a) {
  if (a->size < 0) return;
  if (a->size < HUGE_SIZE)
    free(a->start);
  else
    munmap(a->start, a->size + a->offset);
}

static Array arrays[ARRAYS];

static void receive_tensors(Tensor **tensors, int count) {
  for (int x = 0; x < count; x++) tensors[x]->data = receive_array(arrays + x);
}

static void send_arrays(int start, int stop) {
  for (int x = start; x < stop; x++) send_array(arrays + x);
}

static void receive_structure(void *to, int64_t size) {
  if (receive_number() != size) exit(2);
  receive(to, size);
}

/* One share, its pieces, and a pass for each of them. */
static void run_share(int backward, int threads) {
  Share w;
  Pass passes[4];
  Piece pieces[4];
  receive_structure(&w, sizeof(w));
  receive_structure(passes, w.piece_count * sizeof(Pass));
  receive_structure(pieces, w.piece_count * sizeof(Piece));
  Pass *one = passes;
  Tensor *tensors[] = {&one->q, &one->k, &one->v,   &w.out,    &w.lse,
                       &w.d_out, &w.d_lse, &one->d_q, &one->d_k, &one->d_v};
  receive_tensors(tensors, 10);
  for (int64_t x = 0; x < w.piece_count; x++) {
    Pass own = *one;
    own.scale = passes[x].scale, own.added = passes[x].added;
    passes[x] = own;
    pieces[x].rows = (int64_t *)receive_array(arrays + 10 + 3 * x);
    pieces[x].keys = (int64_t *)receive_array(arrays + 11 + 3 * x);
    pieces[x].allowed = (uint8_t *)receive_array(arrays + 12 + 3 * x);
  }
  w.passes = passes, w.pieces = pieces;
  if ((backward ? differentiate : attend)(&w, 1, threads, 0) < 0) exit(5);
  send_arrays(backward ? 7 : 3, backward ? 10 : 5);
  for (int64_t x = 0; x < 10 + 3 * w.piece_count; x++) release_array(arrays + x);
}

int main(void) {
  int64_t backward;
  while (fread(&backward, 8, 1, stdin) == 1) {
    run_share((int)backward, (int)receive_number());
    fflush(stdout);
  }
  return 0;
}
