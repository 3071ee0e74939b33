// SPDX-License-Identifier: MIT
// target/core_source.c -- the bytes of a core file: read where they are wanted when it is plain;
// decompressed once, from front to back, when it is gzip or zstd. A stream that is cut or damaged
// gives what comes before, and says so.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "target/core_impl.h"

#define IN_BYTES ((size_t)256 << 10)
#define DISCARD_BYTES ((size_t)64 << 10)
#define MAX_WINDOW_LOG 30  // zstd --long=30: a gigabyte, if the stream asks for it
#define GZIP_WINDOW (15 + 16)

// --- opening ---

// Compressors that we do not have, and things that people take for cores.
static const struct {
    const char *magic, *words;
    size_t num_bytes;
} others[] = {
    {"\xfd"
     "7zXZ",
     "is compressed with xz: decompress it first (unxz)", 5},
    {"\x04\x22\x4d\x18", "is compressed with lz4: decompress it first (unlz4)", 4},
    {"BZh", "is compressed with bzip2: decompress it first (bunzip2)", 3},
    {"PK\x03\x04", "is a zip archive: unpack it first", 4},
    {"\x89RCH", "is a refchain snapshot, not a core file", 4},
    {"MDMP", "is a minidump, not a core file", 4},
    {"KDUMP", "is a dump of a kernel, not of a process", 5},
};

static enum rch_status find_pack(struct rch_core_source *source, const char *path,
                                 struct rch_error *err)
{
    uint8_t magic[8] = {0};
    if (pread(source->fd, magic, sizeof(magic), 0) < 0)
        return rch_fail(err, RCH_EIO, "cannot read %s: %m", path);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (memcmp(magic, others[i].magic, others[i].num_bytes) == 0)
            return rch_fail(err, RCH_ECORRUPT, "%s %s", path, others[i].words);
    }
    uint32_t word = magic[0] | magic[1] << 8 | magic[2] << 16 | (uint32_t)magic[3] << 24;
    if (magic[0] == 0x1f && magic[1] == 0x8b)
        source->pack = RCH_CORE_GZIP;
    else if (word == ZSTD_MAGICNUMBER ||
             (word & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START)
        source->pack = RCH_CORE_ZSTD;
    else
        source->pack = RCH_CORE_PLAIN;
    return RCH_OK;
}

static enum rch_status open_file(struct rch_core_source *source, const char *path,
                                 struct rch_error *err)
{
    struct stat st;
    source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (source->fd < 0)
        return rch_fail(err, errno == ENOENT ? RCH_ENOTFOUND : RCH_EIO, "cannot open %s: %m", path);
    if (fstat(source->fd, &st) != 0)
        return rch_fail(err, RCH_EIO, "cannot open %s: %m", path);
    if (S_ISDIR(st.st_mode))
        return rch_fail(err, RCH_ECORRUPT, "%s is a directory, not a core file", path);
    if (!S_ISREG(st.st_mode))
        return rch_fail(err, RCH_ECORRUPT, "%s is not a regular file, so not a core file", path);
    if (st.st_size == 0)
        return rch_fail(err, RCH_ECORRUPT,
                        "%s is empty: the disk was full or `ulimit -c` was too small", path);
    source->file_bytes = (uint64_t)st.st_size;
    source->time_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec;
    return find_pack(source, path, err);
}

// --- the two decompressors ---

static enum rch_status gzip_open(struct rch_core_source *source, struct rch_error *err)
{
    z_stream *z = rch_calloc(source->alloc, 1, sizeof(*z));
    if (!z)
        return rch_fail(err, RCH_ENOMEM, "decompressor of a core file");
    if (inflateInit2(z, GZIP_WINDOW) != Z_OK) {
        rch_free(source->alloc, z, 1, sizeof(*z));
        return rch_fail(err, RCH_ENOMEM, "decompressor of a core file");
    }
    source->unpacker = z;
    return RCH_OK;
}

static enum rch_status zstd_open(struct rch_core_source *source, struct rch_error *err)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    if (!z || ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, MAX_WINDOW_LOG))) {
        ZSTD_freeDStream(z);
        return rch_fail(err, RCH_ENOMEM, "decompressor of a core file");
    }
    source->unpacker = z;
    return RCH_OK;
}

static void end(struct rch_core_source *source, const char *damage)
{
    source->has_ended = true;
    source->damage = damage;
    source->damaged_at = source->file_pos - (source->in_bytes - source->in_at);
}

// Between members: another one, or the end. gzip itself lets anything follow and so do we.
static void gzip_next_member(struct rch_core_source *source)
{
    if (source->in[source->in_at] != 0x1f)
        end(source, NULL);
    else
        inflateReset(source->unpacker);
}

// Both: put out up to *num bytes, take in what that needs. *num becomes what came out.
static void gzip_step(struct rch_core_source *source, uint8_t *to, size_t *num)
{
    z_stream *z = source->unpacker;
    if (!source->in_member) {
        gzip_next_member(source);
        if (source->has_ended) {
            *num = 0;
            return;
        }
    }
    z->next_in = source->in + source->in_at;
    z->avail_in = (uInt)(source->in_bytes - source->in_at);
    z->next_out = to;
    z->avail_out = (uInt)*num;
    int result = inflate(z, Z_NO_FLUSH);
    source->in_at = source->in_bytes - z->avail_in;
    *num -= z->avail_out;
    source->in_member = result != Z_STREAM_END;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        end(source, z->msg ? z->msg : "not gzip data");
}

static void zstd_step(struct rch_core_source *source, uint8_t *to, size_t *num)
{
    ZSTD_inBuffer in = {source->in, source->in_bytes, source->in_at};
    ZSTD_outBuffer out = {to, *num, 0};
    size_t result = ZSTD_decompressStream(source->unpacker, &out, &in);
    source->in_at = in.pos;
    *num = out.pos;
    source->in_member = result != 0;
    if (ZSTD_isError(result))
        end(source, ZSTD_getErrorName(result));
}

static void unpacker_reset(struct rch_core_source *source)
{
    if (source->pack == RCH_CORE_GZIP)
        inflateReset(source->unpacker);
    else
        ZSTD_DCtx_reset(source->unpacker, ZSTD_reset_session_only);
}

// --- reading ---

enum rch_status rch_core_source_open(const char *path, const struct rch_image_options *options,
                                     struct rch_core_source *source, struct rch_error *err)
{
    *source = (struct rch_core_source){
        .alloc = options->alloc ? options->alloc : rch_alloc_default(),
        .progress = options->progress,
        .fd = -1,
    };
    enum rch_status status = open_file(source, path, err);
    if (status == RCH_OK && source->pack != RCH_CORE_PLAIN) {
        source->in = rch_calloc(source->alloc, IN_BYTES, 1);
        source->discard = rch_calloc(source->alloc, DISCARD_BYTES, 1);
        if (!source->in || !source->discard)
            status = rch_fail(err, RCH_ENOMEM, "buffers to decompress a core file");
        else
            status =
                source->pack == RCH_CORE_GZIP ? gzip_open(source, err) : zstd_open(source, err);
    }
    if (status != RCH_OK)
        rch_core_source_close(source);
    return status;
}

void rch_core_source_close(struct rch_core_source *source)
{
    if (source->unpacker && source->pack == RCH_CORE_GZIP) {
        inflateEnd(source->unpacker);
        rch_free(source->alloc, source->unpacker, 1, sizeof(z_stream));
    } else if (source->unpacker) {
        ZSTD_freeDStream(source->unpacker);
    }
    source->unpacker = NULL;
    rch_free(source->alloc, source->in, IN_BYTES, 1);
    rch_free(source->alloc, source->discard, DISCARD_BYTES, 1);
    source->in = source->discard = NULL;
    if (source->fd >= 0)
        (void)close(source->fd);
    source->fd = -1;
}

// pread until it is all there or the file ends.
static enum rch_status read_file(const struct rch_core_source *source, uint64_t offset, uint8_t *to,
                                 size_t num_bytes, size_t *num_out, struct rch_error *err)
{
    size_t done = 0;
    *num_out = 0;
    if (offset > INT64_MAX - (uint64_t)num_bytes)
        return RCH_OK;
    while (done < num_bytes) {
        ssize_t num = pread(source->fd, to + done, num_bytes - done, (off_t)(offset + done));
        if (num < 0 && errno == EINTR)
            continue;
        if (num < 0)
            return rch_fail_at(err, RCH_EIO, offset + done, "cannot read the core file: %m");
        if (num == 0)
            break;
        done += (size_t)num;
    }
    *num_out = done;
    return RCH_OK;
}

static enum rch_status fill_in(struct rch_core_source *source, struct rch_error *err)
{
    source->in_at = 0;
    RCH_TRY(read_file(source, source->file_pos, source->in, IN_BYTES, &source->in_bytes, err));
    source->file_pos += source->in_bytes;
    if (source->in_bytes == 0)
        end(source, source->in_member ? "the compressed data is cut short" : NULL);
    return RCH_OK;
}

static enum rch_status tell_progress(struct rch_core_source *source, struct rch_error *err)
{
    uint64_t sum = source->pos + source->file_pos;
    if (source->has_reported && sum - source->reported_at < RCH_CORE_REPORT_EVERY)
        return RCH_OK;
    source->reported_at = sum;
    source->has_reported = true;
    if (!rch_go_on(source->progress, "decompress", source->file_pos, source->file_bytes))
        return rch_fail(err, RCH_ECANCELED, "canceled while decompressing the core file");
    return RCH_OK;
}

static enum rch_status unpack(struct rch_core_source *source, uint8_t *to, size_t num_bytes,
                              size_t *num_out, struct rch_error *err)
{
    size_t done = 0;
    while (done < num_bytes && !source->has_ended) {
        size_t num = num_bytes - done;
        size_t in_at = source->in_at;
        if (source->in_at < source->in_bytes || source->in_member) {
            (source->pack == RCH_CORE_GZIP ? gzip_step : zstd_step)(source, to + done, &num);
            done += num;
            source->pos += num;
            if (num > 0 || source->in_at != in_at)
                continue;
        }
        if (!source->has_ended)
            RCH_TRY(fill_in(source, err));
    }
    *num_out = done;
    return tell_progress(source, err);
}

static enum rch_status go_to(struct rch_core_source *source, uint64_t offset, struct rch_error *err)
{
    if (offset < source->pos) {
        unpacker_reset(source);
        source->pos = source->file_pos = source->reported_at = 0;
        source->in_at = source->in_bytes = 0;
        source->has_ended = source->in_member = false;
        source->damage = NULL;
    }
    while (source->pos < offset && !source->has_ended) {
        uint64_t left = offset - source->pos;
        size_t num;
        RCH_TRY(unpack(source, source->discard, left < DISCARD_BYTES ? left : DISCARD_BYTES, &num,
                       err));
    }
    return RCH_OK;
}

enum rch_status rch_core_source_read(struct rch_core_source *source, uint64_t offset, void *buf,
                                     size_t num_bytes, size_t *num_out, struct rch_error *err)
{
    *num_out = 0;
    if (source->pack == RCH_CORE_PLAIN)
        return read_file(source, offset, buf, num_bytes, num_out, err);
    RCH_TRY(go_to(source, offset, err));
    return source->pos == offset ? unpack(source, buf, num_bytes, num_out, err) : RCH_OK;
}
