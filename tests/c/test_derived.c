// SPDX-License-Identifier: MIT
// Claims about what is kept with a graph, and about the index beside a snapshot: it gives the same as
// computing again, or it is not used.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/common/histogram.h"
#include "analyze/keepers/retained.h"
#include "format/index_file.h"
#include "format/index_impl.h"
#include "format/rch_file.h"
#include "model/reverse.h"
#include "support.h"

static char dir[64], file[96], index_path[112];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/test_derived.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(file, sizeof(file), "%s/a.rch", dir);
    snprintf(index_path, sizeof(index_path), "%s.idx", file);
    return 0;
}

static int remove_dir(void **state)
{
    unlink(file);
    unlink(index_path);
    bool is_empty = rmdir(dir) == 0;  // fails if a test left something behind
    return graphs_teardown(state) || !is_empty;
}

static struct rch_graph *sample(void **state)
{
    return graph_of(state,
                    "conn:70000:net.Conn pool:1000:net/Pool.Inner fn:136:function "
                    "obs:1::observer a:10:m.A b:20:m.A c:30:m.B lone:7:m.B",
                    "@module.app>main{kp}>pool.items>lst[]>conn main{kr}>reg{k1}>conn reg{k2}> "
                    "fn(x)>conn @frame.f-local.x>conn conn~pool lst[]>main lst[]> a>b a>c b>c c>a "
                    "lst[]>a reg{k3}>a @garbage.g>cyc.a>cyd.b>cyc cyc>conn obs>lone main{k4}>fn");
}

static struct rch_graph *reopened(const char *path)
{
    struct rch_graph *g = NULL;
    struct rch_error err;
    assert_ok(rch_file_open(path, false, rch_alloc_default(), &g, &err), &err);
    return g;
}

// A graph from `file`, with its index if there is one.
static struct rch_graph *with_index(char trouble[256])
{
    struct rch_graph *g = reopened(file);
    struct rch_error err;
    assert_ok(rch_index_open(g, file, rch_alloc_default(), trouble, 256, &err), &err);
    return g;
}

static void save(const struct rch_graph *g)
{
    struct rch_error err;
    assert_ok(rch_index_save(g, file, true, NULL, &err), &err);
}

// --- everything that is kept, asked for in one go ---

struct all {
    struct rch_reverse rev;
    struct rch_domtree dom;
    uint64_t *bytes;
    struct rch_type_count *rows;
    uint32_t num_rows;
};

static void drop_all(struct all *all, const struct rch_graph *g)
{
    const struct rch_alloc *alloc = rch_alloc_default();
    rch_free(alloc, all->bytes, (size_t)g->num_nodes + 1, sizeof(uint64_t));
    rch_free(alloc, all->rows, all->num_rows, sizeof(*all->rows));
    rch_domtree_deinit(&all->dom);
    rch_reverse_deinit(&all->rev);
}

static struct all ask_all(const struct rch_graph *g)
{
    const struct rch_alloc *alloc = rch_alloc_default();
    struct rch_error err;
    struct all all;
    assert_ok(rch_reverse_init(&all.rev, g, alloc, &err), &err);
    assert_ok(rch_domtree_init(&all.dom, g, alloc, NULL, &err), &err);
    assert_ok(rch_retained_bytes(g, &all.dom, alloc, &all.bytes, &err), &err);
    assert_ok(rch_histogram(g, alloc, &all.rows, &all.num_rows, &err), &err);
    assert_ok(rch_histogram_retained(g, alloc, NULL, all.rows, all.num_rows, &err), &err);
    return all;
}

static void assert_same_reverse(const struct rch_graph *g, const struct rch_reverse *a,
                                const struct rch_reverse *b)
{
    assert_int_equal(a->num_refs, b->num_refs);
    assert_memory_equal(a->start, b->start, (g->num_nodes + 1) * sizeof(*a->start));
    assert_memory_equal(a->source, b->source, a->num_refs * sizeof(*a->source));
    assert_memory_equal(a->edge, b->edge, a->num_refs * sizeof(*a->edge));
}

static void assert_same_all(const struct rch_graph *g, const struct all *a, const struct all *b)
{
    assert_same_reverse(g, &a->rev, &b->rev);
    assert_int_equal(a->dom.num_reached, b->dom.num_reached);
    assert_memory_equal(a->dom.idom, b->dom.idom, (g->num_nodes + 1) * sizeof(rch_node));
    assert_memory_equal(a->dom.preorder, b->dom.preorder, a->dom.num_reached * sizeof(rch_node));
    assert_memory_equal(a->bytes, b->bytes, (g->num_nodes + 1) * sizeof(uint64_t));
    assert_int_equal(a->num_rows, b->num_rows);
    assert_memory_equal(a->rows, b->rows, a->num_rows * sizeof(*a->rows));
}

// The graph of `file` answers as `plain`, which keeps nothing, does.
static void assert_answers_as(const struct rch_graph *plain, const struct rch_graph *g)
{
    struct all want = ask_all(plain), got = ask_all(g);
    assert_same_all(plain, &want, &got);
    drop_all(&want, plain);
    drop_all(&got, g);
}

// `file` and its index are there, of the sample; the sample.
static struct rch_graph *write_both(void **state)
{
    struct rch_graph *plain = sample(state);
    struct rch_error err;
    char trouble[256];
    assert_ok(rch_file_write(plain, file, NULL, &err), &err);
    struct rch_graph *g = with_index(trouble);
    assert_answers_as(plain, g);
    save(g);
    rch_graph_free(g);
    return plain;
}

static struct tracked_alloc none_allowed;  // an allocator that a test sees used

// --- claims ---

static void a_graph_that_keeps_nothing_computes_again(void **state)
{
    struct rch_graph *g = sample(state);
    struct all first = ask_all(g), second = ask_all(g);
    assert_ptr_not_equal(first.rev.start, second.rev.start);
    assert_ptr_not_equal(first.dom.idom, second.dom.idom);
    assert_same_all(g, &first, &second);
    drop_all(&first, g);
    drop_all(&second, g);
}

static void a_graph_that_keeps_gives_the_first_ones_arrays(void **state)
{
    struct rch_graph *g = sample(state);
    assert_ok(rch_derived_attach(g, rch_alloc_default(), NULL), NULL);
    struct all first = ask_all(g), second = ask_all(g);
    assert_ptr_equal(first.rev.start, second.rev.start);
    assert_ptr_equal(first.rev.edge, second.rev.edge);
    assert_ptr_equal(first.dom.idom, second.dom.idom);
    assert_ptr_equal(first.dom.preorder, second.dom.preorder);
    assert_same_all(g, &first, &second);
    drop_all(&first, g);
    drop_all(&second, g);
}

static void keeping_survives_every_failing_allocation(void **state)
{
    struct rch_graph *g = sample(state);
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_graph copy = *g;
        struct rch_reverse rev;
        struct rch_domtree dom;
        uint64_t *bytes;
        copy.derived = NULL;
        if (ok_or_enomem(rch_derived_attach(&copy, alloc, NULL))) {
            if (ok_or_enomem(rch_reverse_init(&rev, &copy, alloc, NULL)))
                rch_reverse_deinit(&rev);
            if (ok_or_enomem(rch_domtree_init(&dom, &copy, alloc, NULL, NULL))) {
                if (ok_or_enomem(rch_retained_bytes(&copy, &dom, alloc, &bytes, NULL)))
                    rch_free(alloc, bytes, (size_t)g->num_nodes + 1, sizeof(*bytes));
                rch_domtree_deinit(&dom);
            }
        }
        rch_derived_free(copy.derived);
    }
}

static void an_index_gives_the_same_without_computing(void **state)
{
    struct rch_graph *plain = write_both(state);
    char trouble[256];
    struct rch_graph *g = with_index(trouble);
    assert_string_equal(trouble, "");
    tracked_alloc_init(&none_allowed, 1);  // the first request fails: there must be none
    struct rch_reverse rev;
    struct rch_domtree dom;
    assert_ok(rch_reverse_init(&rev, g, &none_allowed.alloc, NULL), NULL);
    assert_ok(rch_domtree_init(&dom, g, &none_allowed.alloc, NULL, NULL), NULL);
    assert_int_equal(none_allowed.num_requests, 0);
    rch_domtree_deinit(&dom);
    rch_reverse_deinit(&rev);
    tracked_alloc_finish(&none_allowed);
    assert_answers_as(plain, g);
    assert_false(rch_derived_has_new(g));
    assert_null(rch_derived_trouble(g));
    rch_graph_free(g);
}

static void an_index_is_private_and_grows_by_what_is_asked(void **state)
{
    struct rch_graph *plain = sample(state), *g;
    struct rch_reverse rev;
    struct stat st;
    char trouble[256];
    assert_ok(rch_file_write(plain, file, NULL, NULL), NULL);
    g = with_index(trouble);
    save(g);
    assert_int_equal(stat(index_path, &st), -1);  // nothing was asked
    assert_ok(rch_reverse_init(&rev, g, rch_alloc_default(), NULL), NULL);
    rch_reverse_deinit(&rev);
    assert_ok(rch_index_save(g, file, false, NULL, NULL), NULL);
    assert_int_equal(stat(index_path, &st), -1);  // small graphs are computed again
    save(g);
    assert_int_equal(stat(index_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    off_t before = st.st_size;
    rch_graph_free(g);
    g = with_index(trouble);
    assert_answers_as(plain, g);
    save(g);
    rch_graph_free(g);
    assert_int_equal(stat(index_path, &st), 0);
    assert_true(st.st_size > before);
    g = with_index(trouble);
    assert_answers_as(plain, g);
    assert_false(rch_derived_has_new(g));
    rch_graph_free(g);
}

static void the_index_of_another_snapshot_is_not_used(void **state)
{
    (void)write_both(state);
    struct rch_graph *other = graph_of(state, "a:10 b:20", "@module.m>a>b");
    char trouble[256];
    assert_ok(rch_file_write(other, file, NULL, NULL), NULL);
    struct rch_graph *g = with_index(trouble);
    assert_string_equal(trouble, "");
    assert_answers_as(other, g);
    assert_true(rch_derived_has_new(g));
    rch_graph_free(g);
}

static void captures_have_no_index(void **state)
{
    struct rch_graph *g = sample(state);
    struct stat st;
    char trouble[256];
    assert_ok(rch_index_open(g, file, rch_alloc_default(), trouble, sizeof(trouble), NULL), NULL);
    struct all all = ask_all(g);
    drop_all(&all, g);
    save(g);
    assert_int_equal(stat(index_path, &st), -1);
}

static void an_index_that_cannot_be_written_leaves_nothing(void **state)
{
    struct rch_graph *plain = sample(state);
    struct rch_error err;
    char trouble[256];
    assert_ok(rch_file_write(plain, file, NULL, NULL), NULL);
    assert_int_equal(mkdir(index_path, 0700), 0);  // not a file: neither read nor replaced
    struct rch_graph *g = with_index(trouble);
    assert_string_equal(trouble, "");
    assert_answers_as(plain, g);
    assert_status(rch_index_save(g, file, true, NULL, &err), RCH_EINVAL, &err);
    rch_graph_free(g);
    assert_int_equal(rmdir(index_path), 0);
}

static bool never(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    (void)ctx, (void)phase, (void)done, (void)total;
    return false;
}

static void a_canceled_index_leaves_nothing(void **state)
{
    const struct rch_progress progress = {never, NULL};
    struct rch_graph *plain = sample(state);
    struct rch_error err;
    struct stat st;
    char trouble[256];
    assert_ok(rch_file_write(plain, file, NULL, NULL), NULL);
    struct rch_graph *g = with_index(trouble);
    assert_answers_as(plain, g);
    assert_status(rch_index_save(g, file, true, &progress, &err), RCH_ECANCELED, &err);
    assert_int_equal(stat(index_path, &st), -1);
    rch_graph_free(g);
}

// --- damage ---

struct bytes {
    uint8_t *mem;
    size_t num;
};

static struct bytes read_index(void)
{
    FILE *in = fopen(index_path, "rb");
    assert_non_null(in);
    fseek(in, 0, SEEK_END);
    struct bytes index = {.num = (size_t)ftell(in)};
    index.mem = malloc(index.num);
    assert_non_null(index.mem);
    rewind(in);
    assert_int_equal(fread(index.mem, 1, index.num, in), index.num);
    fclose(in);
    return index;
}

// The sample's file with these bytes as its index. `is_used_out`: nothing was wrong with it.
static struct rch_graph *take(const struct bytes *index, bool *is_used_out)
{
    struct rch_file_identity identity;
    struct rch_graph *g = reopened(file);
    assert_true(rch_file_identity(g, &identity));
    assert_ok(rch_derived_attach(g, rch_alloc_default(), NULL), NULL);
    *is_used_out = !rch_index_take(g, index->mem, index->num, &identity, NULL);
    return g;
}

static void every_flipped_byte_of_an_index_costs_only_time(void **state)
{
    struct rch_graph *plain = write_both(state);
    struct bytes index = read_index();
    for (size_t at = 0; at < index.num; at++) {
        bool is_used;
        index.mem[at] ^= 0x5a;
        struct rch_graph *g = take(&index, &is_used);
        assert_answers_as(plain, g);
        if (at < sizeof(struct rch_index_header))
            assert_false(is_used);
        rch_graph_free(g);
        index.mem[at] ^= 0x5a;
    }
    free(index.mem);
}

static void an_index_cut_anywhere_is_not_used(void **state)
{
    struct rch_graph *plain = write_both(state);
    struct bytes index = read_index();
    for (size_t num = 0; num < index.num; num += 7) {
        bool is_used;
        struct bytes cut = {index.mem, num};
        struct rch_graph *g = take(&cut, &is_used);
        assert_false(is_used);
        assert_answers_as(plain, g);
        rch_graph_free(g);
    }
    free(index.mem);
}

static void seal(struct bytes *index)
{
    struct rch_index_header *header = (void *)index->mem;
    struct rch_index_row *rows = (void *)(header + 1);
    for (uint32_t i = 0; i < header->num_columns; i++)
        rows[i].checksum =
            rch_checksum(index->mem + rows[i].offset, rows[i].num * rows[i].elem_bytes);
    size_t skipped = sizeof(header->magic) + sizeof(header->checksum);
    header->checksum = rch_checksum(index->mem + skipped, header->header_bytes - skipped);
}

// Every number of every column replaced by others, under right checksums: referrers are only used when
// they are the true ones, a tree only when it is one.
static void lies_under_right_checksums_lead_nobody_astray(void **state)
{
    struct rch_graph *plain = write_both(state);
    struct bytes index = read_index();
    struct rch_reverse want;
    assert_ok(rch_reverse_init(&want, plain, rch_alloc_default(), NULL), NULL);
    const uint32_t lies[] = {0, 1, 5, plain->num_nodes - 1, plain->num_nodes, UINT32_MAX};
    for (size_t at = ((struct rch_index_header *)(void *)index.mem)->header_bytes; at < index.num;
         at += sizeof(uint32_t)) {
        for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
            uint32_t truth;
            bool is_used;
            memcpy(&truth, index.mem + at, sizeof(truth));
            memcpy(index.mem + at, &lies[i], sizeof(truth));
            seal(&index);
            struct rch_graph *g = take(&index, &is_used);
            assert_true(is_used);
            struct all got = ask_all(g);  // under ASan: no read astray
            assert_same_reverse(plain, &want, &got.rev);
            drop_all(&got, g);
            rch_graph_free(g);
            memcpy(index.mem + at, &truth, sizeof(truth));
        }
    }
    rch_reverse_deinit(&want);
    free(index.mem);
}

static void a_damaged_index_is_told_and_made_again(void **state)
{
    struct rch_graph *plain = write_both(state);
    struct bytes index = read_index();
    char trouble[256];
    for (int of_header = 0; of_header < 2; of_header++) {
        FILE *out = fopen(index_path, "r+b");
        assert_non_null(out);
        fseek(out, of_header ? 20 : 448, SEEK_SET);
        fputc(index.mem[of_header ? 20 : 448] ^ 1, out);
        fclose(out);
        struct rch_graph *g = with_index(trouble);
        assert_answers_as(plain, g);
        if (of_header)
            assert_non_null(strstr(trouble, "its header is damaged"));
        else
            assert_non_null(strstr(rch_derived_trouble(g), "damaged"));
        save(g);
        rch_graph_free(g);
        struct bytes again = read_index();
        assert_int_equal(again.num, index.num);
        assert_memory_equal(again.mem, index.mem, index.num);
        free(again.mem);
    }
    free(index.mem);
}

int main(void)
{
#define file_test(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        graph_test(a_graph_that_keeps_nothing_computes_again),
        graph_test(a_graph_that_keeps_gives_the_first_ones_arrays),
        graph_test(keeping_survives_every_failing_allocation),
        file_test(an_index_gives_the_same_without_computing),
        file_test(an_index_is_private_and_grows_by_what_is_asked),
        file_test(the_index_of_another_snapshot_is_not_used),
        file_test(captures_have_no_index),
        file_test(an_index_that_cannot_be_written_leaves_nothing),
        file_test(a_canceled_index_leaves_nothing),
        file_test(every_flipped_byte_of_an_index_costs_only_time),
        file_test(an_index_cut_anywhere_is_not_used),
        file_test(lies_under_right_checksums_lead_nobody_astray),
        file_test(a_damaged_index_is_told_and_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
