// SPDX-License-Identifier: MIT
// target/survey.c -- see survey.h. Pages that the process wrote are copied, also where it may not write
// them any more (relocated tables); clean pages of files are read from the files later.
#include "target/survey.h"

#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "target/elf.h"

#define END_ADDR (UINT64_C(1) << RCH_TARGET_ADDR_BITS)
#define SMALL_SHARED_BYTES (UINT64_C(16) << 20)  // copied, though others may write them too
#define RELOCATED_BYTES (UINT64_C(16) << 20)     // copied where nobody tells which pages were written
#define BLIND_BYTES (UINT64_C(16) << 30)   // of one map, all of which may be mere address space
#define NO_FILE_BYTES (UINT64_C(256) << 20)  // of a map whose file cannot be opened
#define KNOWN_RUN_BYTES (UINT64_C(256) << 10)  // from here on a run is taken over from the survey before

#define SPARE_FILES 16  // that we, and others in this process, may still open

struct file {
    uint64_t dev, inode;
    int fd;  // -1: cannot be opened
    bool is_taken;
};

enum plan {
    PLAN_NOTHING,   // without contents, of the kernel, or shared
    PLAN_PRESENT,   // pages in memory; there is no more to it
    PLAN_OWN,       // pages that were written, the others are zero
    PLAN_OWN_FILE,  // pages that were written, the others are the file's
    PLAN_FILE,      // all as in the file
    PLAN_ALL,
};

// --- files ------------------------------------------------------------------------------------------

void rch_map_files_init(struct rch_map_files *files, const struct rch_alloc *alloc)
{
    struct rlimit limit;
    rch_vec_init(&files->rows, alloc, sizeof(struct file));
    files->max_fd = INT_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < INT_MAX)
        files->max_fd = (int)limit.rlim_cur - SPARE_FILES;
}

void rch_map_files_deinit(struct rch_map_files *files)
{
    for (size_t i = 0; i < files->rows.num; i++) {
        const struct file *file = &RCH_VEC_AT(&files->rows, struct file, i);
        if (file->fd >= 0 && !file->is_taken)
            close(file->fd);
    }
    rch_vec_deinit(&files->rows);
}

// From the end: the maps of a file follow one another.
static struct file *find_file(const struct rch_map_files *files, const struct rch_map *map)
{
    for (size_t i = files->rows.num; i-- > 0;) {
        struct file *file = &RCH_VEC_AT(&files->rows, struct file, i);
        if (file->inode == map->inode && file->dev == map->dev)
            return file;
    }
    return NULL;
}

void rch_map_files_take(struct rch_map_files *files, const struct rch_map *map)
{
    find_file(files, map)->is_taken = true;
}

static enum rch_status open_file(const struct rch_survey_of *of, const struct rch_map *map, int *fd,
                                 struct rch_error *err)
{
    const struct file *known = find_file(of->files, map);
    if (known) {
        *fd = known->fd;
        return RCH_OK;
    }
    struct file file = {map->dev, map->inode, rch_image_open_file(of->image, map), false};
    if (file.fd >= of->files->max_fd) {
        close(file.fd);
        file.fd = -1;
    }
    enum rch_status st = rch_vec_append(&of->files->rows, &file, 1, err);
    if (st != RCH_OK && file.fd >= 0)
        close(file.fd);
    *fd = file.fd;
    return st;
}

// --- what to copy -------------------------------------------------------------------------------------

static bool is_anonymous(const struct rch_map *map)
{
    return map->inode == 0 || strcmp(map->path, "/anon_hugepage") == 0;
}

// Others may write to it, and then it is no part of this process's moment.
static enum plan plan_shared(const struct rch_survey_of *of, const struct rch_map *map, int fd)
{
    bool is_unnamed = (map->flags & RCH_MAP_DELETED) && (strcmp(map->path, "/dev/zero") == 0 ||
                                                         strncmp(map->path, "/memfd:", 7) == 0);
    if (is_unnamed && map->end - map->start <= SMALL_SHARED_BYTES && of->pagemap >= 0)
        return PLAN_PRESENT;
    return fd >= 0 && !(map->flags & RCH_MAP_WRITE) ? PLAN_FILE : PLAN_NOTHING;
}

// Nobody tells which pages were written: all that can have been.
static enum plan plan_blindly(const struct rch_map *map, int fd)
{
    if (map->end - map->start > BLIND_BYTES)
        return PLAN_NOTHING;
    if (is_anonymous(map) || (map->flags & RCH_MAP_WRITE) || fd < 0)
        return PLAN_ALL;
    bool may_be_relocated =
        !(map->flags & RCH_MAP_EXEC) && map->end - map->start <= RELOCATED_BYTES;
    return may_be_relocated ? PLAN_ALL : PLAN_FILE;
}

static enum plan plan_of(const struct rch_survey_of *of, const struct rch_map *map, int fd)
{
    if (!(map->flags & (RCH_MAP_READ | RCH_MAP_WRITE | RCH_MAP_EXEC)) || map->end > END_ADDR ||
        strncmp(map->path, "[vvar", 5) == 0 || strcmp(map->path, "[vsyscall]") == 0)
        return PLAN_NOTHING;
    if (map->flags & RCH_MAP_SHARED)
        return plan_shared(of, map, fd);
    if (strcmp(map->path, "[vdso]") == 0)
        return PLAN_ALL;
    if (of->pagemap < 0)
        return plan_blindly(map, fd);
    if (is_anonymous(map))
        return PLAN_OWN;
    if (fd >= 0)
        return PLAN_OWN_FILE;
    return map->end - map->start <= NO_FILE_BYTES ? PLAN_ALL : PLAN_PRESENT;
}

static enum rch_status add_span(struct rch_vec *spans, uint64_t start, uint64_t end,
                                struct rch_error *err)
{
    return start < end ? rch_vec_append(spans, &(struct rch_span){start, end}, 1, err) : RCH_OK;
}

// What lies between the runs from number `first` on.
static enum rch_status add_zeros(struct rch_survey *survey, const struct rch_map *map, size_t first,
                                 struct rch_error *err)
{
    uint64_t at = map->start;
    for (size_t i = first; i < survey->runs.num; i++) {
        struct rch_span run = RCH_VEC_AT(&survey->runs, struct rch_span, i);
        RCH_TRY(add_span(&survey->zeros, at, run.start, err));
        at = run.end;
    }
    return add_span(&survey->zeros, at, map->end, err);
}

static enum rch_status find_own_pages(struct rch_survey *survey, const struct rch_survey_of *of,
                                      const struct rch_map *map, struct rch_error *err)
{
    uint64_t at = map->start;
    size_t num_known = of->before ? of->before->runs.num : 0;
    for (size_t i = of->before ? rch_span_after(&of->before->runs, at) : 0; i < num_known; i++) {
        struct rch_span run = RCH_VEC_AT(&of->before->runs, struct rch_span, i);
        if (run.start >= map->end)
            break;
        if (run.start < at)
            run.start = at;
        if (run.end > map->end)
            run.end = map->end;
        if (run.end - run.start < KNOWN_RUN_BYTES)
            continue;
        RCH_TRY(rch_proc_pages(of->pagemap, at, run.start, RCH_PAGES_OWN, &survey->runs, err));
        RCH_TRY(add_span(&survey->runs, run.start, run.end, err));
        at = run.end;
    }
    return rch_proc_pages(of->pagemap, at, map->end, RCH_PAGES_OWN, &survey->runs, err);
}

static enum rch_status add_runs(struct rch_survey *survey, const struct rch_survey_of *of,
                                const struct rch_map *map, enum plan plan, struct rch_error *err)
{
    size_t first = survey->runs.num;
    enum rch_status st;
    if (plan == PLAN_NOTHING || plan == PLAN_FILE)
        return RCH_OK;
    if (plan == PLAN_ALL)
        return add_span(&survey->runs, map->start, map->end, err);
    if (plan == PLAN_PRESENT)
        st = rch_proc_pages(of->pagemap, map->start, map->end, RCH_PAGES_PRESENT, &survey->runs,
                            err);
    else
        st = find_own_pages(survey, of, map, err);
    if (st == RCH_EUNSUPPORTED || st == RCH_EIO)
        return RCH_OK;  // too large, or gone by now: counted as missing
    RCH_TRY(st);
    return plan == PLAN_OWN ? add_zeros(survey, map, first, err) : RCH_OK;
}

void rch_survey_init(struct rch_survey *survey, const struct rch_alloc *alloc)
{
    *survey = (struct rch_survey){0};
    rch_arena_init(&survey->texts, alloc);
    rch_vec_init(&survey->maps, alloc, sizeof(struct rch_map));
    rch_vec_init(&survey->fds, alloc, sizeof(int));
    rch_vec_init(&survey->runs, alloc, sizeof(struct rch_span));
    rch_vec_init(&survey->zeros, alloc, sizeof(struct rch_span));
}

void rch_survey_deinit(struct rch_survey *survey)
{
    rch_vec_deinit(&survey->maps);
    rch_vec_deinit(&survey->fds);
    rch_vec_deinit(&survey->runs);
    rch_vec_deinit(&survey->zeros);
    rch_arena_deinit(&survey->texts);
}

static bool may_have_file(const struct rch_map *map)
{
    bool is_written_by_others = (map->flags & RCH_MAP_SHARED) && (map->flags & RCH_MAP_WRITE);
    return !is_anonymous(map) && !is_written_by_others;
}

enum rch_status rch_survey_take(struct rch_survey *survey, const struct rch_survey_of *of,
                                struct rch_error *err)
{
    RCH_TRY(rch_proc_maps(of->tid, &survey->texts, &survey->maps, err));
    for (size_t i = 0; i < survey->maps.num; i++) {
        const struct rch_map *map = &RCH_VEC_AT(&survey->maps, struct rch_map, i);
        int fd = -1;
        if (may_have_file(map))
            RCH_TRY(open_file(of, map, &fd, err));
        enum plan plan = plan_of(of, map, fd);
        if (plan != PLAN_OWN_FILE && plan != PLAN_FILE)
            fd = -1;
        RCH_TRY(rch_vec_append(&survey->fds, &fd, 1, err));
        RCH_TRY(add_runs(survey, of, map, plan, err));
    }
    for (size_t i = 0; i < survey->runs.num; i++) {
        struct rch_span run = RCH_VEC_AT(&survey->runs, struct rch_span, i);
        survey->num_bytes += run.end - run.start;
    }
    return RCH_OK;
}
