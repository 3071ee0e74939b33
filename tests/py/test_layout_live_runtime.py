# SPDX-License-Identifier: MIT
"""The layout table of the running interpreter, proven on its frames, generators, threads, collector
and interpreter state; the rest is in test_layout_live.py. Run as a script it runs that too, and
checks that hardly a field was left unread.
"""
import atexit
import builtins
import codecs
import ctypes
import gc
import os
import signal
import sys
import threading
import time
import unittest
import warnings
import weakref

from layout_live import (
    ABSENT,
    FREE_THREADED,
    MINOR,
    L,
    LayoutTest,
    api,
    at,
    byte,
    int32,
    obj_at,
    pointer,
    this_interp,
    this_tstate,
    untagged,
    word,
)


def iframe_of(frame):
    return at(frame, L.frame_iframe)


def local_slots(frame, start):
    """name -> address of the fast locals, cells and free variables, from where they start."""
    code = frame.f_code
    if L.code_localsplusnames is ABSENT:
        names = code.co_varnames + code.co_cellvars + code.co_freevars
    else:
        names = obj_at(at(code, L.code_localsplusnames))
    return {name: untagged(word(start + 8 * i)) for i, name in enumerate(names)}


class FrameTest(LayoutTest):
    """Code, frames and generators."""

    def test_code(self):
        def function(one, cell_argument, *args):
            local = one
            return lambda: (cell_argument, local, 3.25)

        code = function.__code__
        ref = weakref.ref(code)
        num_slots = len(set(code.co_varnames) | set(code.co_cellvars))
        self.has_int(code, code_flags=code.co_flags, code_argcount=2, code_nlocals=code.co_nlocals,
                     code_stacksize=code.co_stacksize, code_firstlineno=code.co_firstlineno,
                     code_ncellvars=2, code_nfreevars=0, code_nlocalsplus=num_slots)
        inner = next(const for const in code.co_consts if isinstance(const, type(code)))
        self.has_int(inner, code_nfreevars=2)
        self.holds(code, code_consts=code.co_consts, code_names=code.co_names,
                   code_filename=code.co_filename, code_name=code.co_name, code_weakreflist=ref,
                   code_varnames=code.co_varnames, code_cellvars=code.co_cellvars,
                   code_freevars=code.co_freevars, code_code=code.co_code)
        self.holds(code, code_linetable=code.co_lnotab if MINOR == 9 else code.co_linetable)
        if L.code_cell2arg is not ABSENT:
            index = code.co_cellvars.index("cell_argument")
            self.assertEqual(word(at(code, L.code_cell2arg) + 8 * index), 1)
        if MINOR < 11:
            return
        self.holds(code, code_qualname=code.co_qualname, code_cached_code=code.co_code,
                   code_exceptiontable=code.co_exceptiontable)
        self.assertEqual(set(obj_at(at(code, L.code_localsplusnames))),
                         {"one", "cell_argument", "args", "local"})
        self.assertEqual(len(obj_at(at(code, L.code_localspluskinds))), 4)
        size = len(code.co_code)
        self.assertEqual(ctypes.string_at(id(code) + L.code_code_adaptive, size),
                         code._co_code_adaptive)
        if L.code_cached is not ABSENT:
            kept = code.co_code, code.co_varnames, code.co_cellvars, code.co_freevars
            self.holds(at(code, L.code_cached), code_cached_field_code=kept[0],
                       code_cached_field_varnames=kept[1], code_cached_field_cellvars=kept[2],
                       code_cached_field_freevars=kept[3])

    def test_a_finished_frame(self):
        def inner(argument):
            local = [argument]
            raise ValueError(local)

        argument = [1]
        try:
            inner(argument)
        except ValueError as error:
            frame = error.__traceback__.tb_next.tb_frame
        names = frame.f_locals
        if L.frame_localsplus is not ABSENT:
            self.holds(frame, frame_back=frame.f_back, frame_code=frame.f_code,
                       frame_builtins=frame.f_builtins, frame_globals=frame.f_globals)
            slots = local_slots(frame, id(frame) + L.frame_localsplus)
        else:
            self.holds(frame, frame_back=frame.f_back)
            self.assertEqual(iframe_of(frame), id(frame) + L.frame_inline_data)
            self.assertEqual(byte(iframe_of(frame) + L.iframe_owner), L.owner_frame_object)
            slots = local_slots(frame, iframe_of(frame) + L.iframe_localsplus)
        self.assertEqual(slots["argument"], id(argument))
        self.assertEqual(slots["local"], id(names["local"]))
        frame.clear()
        if L.frame_state is not ABSENT:
            self.assertEqual(byte(id(frame) + L.frame_state), L.gen_state_cleared)

    def test_the_running_frame(self):
        local, frame, tstate = [1], sys._getframe(), this_tstate()
        if L.frame_localsplus is not ABSENT:
            start = id(frame) + L.frame_localsplus
            self.holds(frame, frame_back=frame.f_back, frame_code=frame.f_code)
            stack = at(frame, L.frame_valuestack)
            self.assertEqual(stack, start + 8 * len(local_slots(frame, start)))
            self.assertGreater(int32(id(frame) + L.frame_lasti), 0)
            if L.frame_executing is not ABSENT:
                self.assertEqual(byte(id(frame) + L.frame_executing), 1)
            if L.frame_state is not ABSENT:
                self.assertEqual(byte(id(frame) + L.frame_state), L.gen_state_executing)
            running = word(tstate + L.tstate_frame)
            back = L.frame_back
            wanted = id(frame)
        else:
            wanted, back = iframe_of(frame), L.iframe_previous
            start = wanted + L.iframe_localsplus
            self.holds(wanted, iframe_globals=frame.f_globals,
                       iframe_builtins=frame.f_builtins, iframe_frame_obj=frame)
            self.assertEqual(untagged(word(wanted + L.iframe_code)), id(frame.f_code))
            self.assertEqual(untagged(word(wanted + L.iframe_func)),
                             id(type(self).test_the_running_frame))
            self.assertEqual(byte(wanted + L.iframe_owner), L.owner_thread)
            first = id(frame.f_code) + L.code_code_adaptive
            self.assertTrue(first <= word(wanted + L.iframe_prev_instr) < first + 4096)
            self.assertIn(self.top_of(wanted), range(-1, 100))  # stale while running
            running = word(word(tstate + L.tstate_cframe) + L.cframe_current_frame
                           if L.tstate_cframe is not ABSENT else tstate + L.tstate_current_frame)
            if L.iframe_is_entry is not ABSENT:
                self.assertIn(byte(wanted + L.iframe_is_entry), (0, 1))
        self.assertEqual(local_slots(frame, start)["local"], id(local))
        while running and running != wanted:
            running = word(running + back)
        self.assertEqual(running, wanted)

    @staticmethod
    def top_of(iframe):
        """How many slots are in use."""
        if L.iframe_stackpointer is ABSENT:
            return int32(iframe + L.iframe_stacktop)
        return (word(iframe + L.iframe_stackpointer) - iframe - L.iframe_localsplus) // 8

    def test_a_borrowed_argument_is_tagged_and_not_counted(self):
        def callee(argument):
            frame = sys._getframe()
            slot = word(iframe_of(frame) + L.iframe_localsplus)
            seen.append((slot & 3, slot & ~3, int32(id(argument) + L.object_refcnt)))

        seen, box = [], [1]
        before = int32(id(box) + L.object_refcnt)
        if L.iframe_is_tagged:
            callee(box)
            self.assertEqual(seen, [(1, id(box), before)])

    def test_overwritten_locals_are_kept(self):
        if L.frame_overwritten_locals is ABSENT:
            return
        frame, value = sys._getframe(), [1]
        kept = value
        frame.f_locals["value"] = [2]
        self.assertEqual(obj_at(at(frame, L.frame_overwritten_locals)), (kept,))

    def test_frames_of_a_thread_lie_in_its_data_stack(self):
        if L.tstate_datastack_chunk is ABSENT:
            return
        chunk, iframe = word(this_tstate() + L.tstate_datastack_chunk), iframe_of(sys._getframe())
        while chunk and not chunk < iframe < chunk + word(chunk + L.datastack_chunk_size):
            chunk = word(chunk + L.datastack_chunk_previous)
        self.assertTrue(chunk)
        self.assertGreaterEqual(iframe, chunk + L.datastack_chunk_data)
        self.assertEqual(word(chunk + L.datastack_chunk_size) % 4096, 0)
        self.assertLess(word(chunk + L.datastack_chunk_top) * 8, 1 << 30)

    def test_other_words_of_frames(self):
        seen, space = {}, {}

        def tracer(frame, event, arg):
            return tracer

        def traced():
            frame = sys._getframe()
            seen["trace"] = at(frame, L.frame_trace)

        def look(frame):
            if L.frame_locals is not ABSENT:
                seen["locals"] = at(frame, L.frame_locals)
            else:
                seen["locals"] = word(iframe_of(frame) + L.iframe_locals)

        old = sys.gettrace()
        sys.settrace(tracer)
        traced()
        sys.settrace(old)
        self.assertEqual(seen["trace"], id(tracer))
        exec("look(sys._getframe())", {"look": look, "sys": sys}, space)
        self.assertEqual(seen["locals"], id(space))
        if L.frame_extra_locals is not ABSENT:
            frame, extra = sys._getframe(), [1]
            frame.f_locals["not_a_fast_local"] = extra
            self.assertEqual(obj_at(at(frame, L.frame_extra_locals)), {"not_a_fast_local": extra})
            api.PyEval_GetLocals.restype = ctypes.c_void_p
            cache = api.PyEval_GetLocals()  # of the frame that calls: this one
            self.assertEqual(at(frame, L.frame_locals_cache), cache)

    def test_generator(self):
        def generate():
            states.append(state(gen))
            local = [1]
            yield local
            yield from iter([2])

        def state(gen):
            if L.gen_frame_state is not ABSENT:
                return ctypes.c_int8.from_address(id(gen) + L.gen_frame_state).value
            frame = gen.gi_frame
            if frame is not None and L.frame_state is not ABSENT:
                return ctypes.c_int8.from_address(id(frame) + L.frame_state).value
            return None

        states, gen = [], generate()
        ref, frame = weakref.ref(gen), gen.gi_frame
        self.holds(gen, gen_code=gen.gi_code, gen_name=gen.__name__, gen_qualname=gen.__qualname__,
                   gen_weakreflist=ref, gen_frame=frame)
        self.holds(frame, frame_gen=gen)
        states.append(state(gen))
        local = next(gen)
        states.append(state(gen))
        if L.gen_iframe is not ABSENT:
            iframe = id(gen) + L.gen_iframe
            self.assertEqual(iframe_of(frame), iframe)
            self.assertEqual(byte(iframe + L.iframe_owner), L.owner_generator)
            self.assertGreaterEqual(self.top_of(iframe), 1)
            start = iframe + L.iframe_localsplus
        else:
            start = id(frame) + L.frame_localsplus
            stack = at(frame, L.frame_valuestack)
            if L.frame_stacktop is not ABSENT:
                self.assertEqual(at(frame, L.frame_stacktop), stack)
            else:
                self.assertEqual(int32(id(frame) + L.frame_stackdepth), 0)
        self.assertEqual(local_slots(frame, start)["local"], id(local))
        next(gen)
        states.append(state(gen))
        list(gen)
        states.append(state(gen))
        if MINOR >= 11:
            self.assertEqual(states.pop(), L.gen_state_cleared)
        if MINOR >= 10:
            self.assertEqual(states[:4], [
                L.gen_state_created, L.gen_state_executing, L.gen_state_suspended,
                L.gen_state_suspended_yield_from if MINOR >= 13 else L.gen_state_suspended])

    def test_a_generator_that_handles_an_exception(self):
        def generate():
            try:
                raise error
            except ValueError:
                look()
                yield

        def look():
            top = word(this_tstate() + L.tstate_exc_info)
            self.assertEqual(top, id(gen) + L.gen_exc_state)
            self.holds(top, exc_state_value=error, exc_state_type=ValueError,
                       exc_state_traceback=error.__traceback__)
            self.assertEqual(word(top + L.exc_state_previous), base)
            if L.gen_running is not ABSENT:
                self.assertEqual(byte(id(gen) + L.gen_running), 1)

        error = ValueError()
        base = this_tstate() + L.tstate_exc_state
        gen = generate()
        next(gen)
        self.holds(id(gen) + L.gen_exc_state, exc_state_value=error)

    def test_coroutines_and_async_generators(self):
        async def coroutine():
            pass

        async def agen():
            yield

        def first(gen):
            pass

        def final(gen):
            pass

        sys.set_coroutine_origin_tracking_depth(1)
        coro = coroutine()
        sys.set_coroutine_origin_tracking_depth(0)
        self.holds(coro, gen_origin=coro.cr_origin)
        coro.close()
        old = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(first, final)
        self.holds(this_tstate(), tstate_async_gen_firstiter=first,
                   tstate_async_gen_finalizer=final)
        gen = agen()
        step = gen.__anext__()
        self.holds(gen, gen_ag_hooks_finalizer=final)
        step.close()
        sys.set_asyncgen_hooks(*old)


class InterpreterTest(LayoutTest):
    """The runtime, the interpreter, its threads and its collector."""

    def test_runtime(self):
        runtime, interp = ctypes.addressof(ctypes.c_char.in_dll(api, "_PyRuntime")), this_interp()
        self.assertEqual(word(runtime + L.runtime_interpreters_head), interp)
        self.assertEqual(word(runtime + L.runtime_main_interpreter), interp)
        self.assertEqual((word(interp + L.interp_next), word(interp + L.interp_id)), (0, 0))
        if L.runtime_signals_handlers is not ABSENT:
            def handler(number, frame):
                pass

            old = signal.signal(signal.SIGUSR1, handler)
            self.assertEqual(L.runtime_signals_num, signal.NSIG)
            self.holds(runtime + L.runtime_signals_handlers +
                       signal.SIGUSR1 * L.runtime_signals_handler_size,
                       runtime_signals_handler_func=handler)
            signal.signal(signal.SIGUSR1, old)

    def test_the_gil(self):
        runtime = ctypes.addressof(ctypes.c_char.in_dll(api, "_PyRuntime"))
        gil = (runtime + L.runtime_gil if L.runtime_gil is not ABSENT
               else word(this_interp() + L.interp_gil))
        self.assertGreater(L.gil_size, L.gil_locked)
        self.assertEqual(word(gil + L.gil_last_holder), this_tstate())
        if FREE_THREADED and not sys._is_gil_enabled():
            self.assertEqual(int32(gil + L.gil_locked), 0)
            return
        self.assertEqual(int32(gil + L.gil_locked), 1)
        futex = self.futex_of_a_thread_that_wants_the_gil()
        if futex:
            self.assertIn(futex, range(gil, gil + L.gil_size))

    def futex_of_a_thread_that_wants_the_gil(self):
        """None where the kernel does not say. The GIL is held throughout: PyDLL, and no time is up."""
        libc, buf, ids = ctypes.PyDLL(None), ctypes.create_string_buffer(200), []

        def want():
            ids.append(threading.get_native_id())
            time.sleep(0.02)

        old = sys.getswitchinterval()
        sys.setswitchinterval(60)
        try:
            thread = threading.Thread(target=want)
            thread.start()
            while not ids:
                time.sleep(0.001)
            end = time.monotonic() + 0.2
            while time.monotonic() < end:
                pass
            fd = libc.open(b"/proc/self/task/%d/syscall" % ids[0], os.O_RDONLY)
            num = libc.read(fd, buf, len(buf)) if fd >= 0 else 0
        finally:
            sys.setswitchinterval(old)
        thread.join()
        os.close(fd) if fd >= 0 else None
        words = buf.raw[:max(num, 0)].split()
        return int(words[1], 16) if words and words[0] == b"202" else None

    def test_interpreter_dicts_and_lists(self):
        interp = this_interp()
        codecs.lookup("koi8_r")
        self.holds(interp, interp_modules=sys.modules, interp_sysdict=vars(sys),
                   interp_builtins=vars(builtins), interp_import_func=builtins.__import__,
                   interp_importlib=sys.modules["_frozen_importlib"])
        for name, key in (("builtins_copy", "len"), ("codec_search_cache", "koi8_r"),
                          ("codec_error_registry", "strict"), ("sysdict_copy", "getrefcount")):
            if getattr(L, "interp_" + name) is not ABSENT:
                self.assertIn(key, {str(k).replace("-", "_")
                                    for k in obj_at(word(interp + getattr(L, "interp_" + name)))})
        self.assertTrue(callable(obj_at(word(interp + L.interp_codec_search_path))[0]))
        self.assertIs(type(obj_at(word(interp + L.interp_modules_by_index))), list)
        kept = pointer(api.PyInterpreterState_GetDict, ctypes.c_void_p(interp))
        self.assertEqual(word(interp + L.interp_dict), kept)
        if L.interp_interned_strings is not ABSENT:
            name = sys.intern("a_name_only_this_test_interns_%d" % os.getpid())
            self.assertIn(name, obj_at(word(interp + L.interp_interned_strings)))

    def test_what_newer_interpreters_keep(self):
        interp = this_interp()
        if L.interp_errnomap is not ABSENT:
            self.assertIs(obj_at(word(interp + L.interp_errnomap))[2], FileNotFoundError)
            context = obj_at(word(interp + L.interp_warnings_context))
            self.assertEqual(context.name, "_warnings_context")
        if L.interp_dict_descriptor is ABSENT:
            return
        fields = vars(type("Cls", (), {}))
        self.holds(interp, interp_dict_descriptor=fields["__dict__"],
                   interp_weakref_descriptor=fields["__weakref__"],
                   interp_lazy_import_func=builtins.__lazy_import__,
                   interp_lazy_modules=sys.lazy_modules)
        self.assertIs(type(obj_at(word(interp + L.interp_lazy_pending))), dict)

        def choose(*args):
            return True

        old = sys.get_lazy_imports_filter()
        sys.set_lazy_imports_filter(choose)
        self.holds(interp, interp_lazy_imports_filter=choose)
        sys.set_lazy_imports_filter(old)

    def test_interpreter_hooks(self):
        def hook(*args):
            pass

        interp = this_interp()
        hooks = {name: lambda *args: None for name in (
            "before_forkers", "after_forkers_parent", "after_forkers_child", "audit_hooks")}
        os.register_at_fork(before=hooks["before_forkers"],
                            after_in_parent=hooks["after_forkers_parent"],
                            after_in_child=hooks["after_forkers_child"])
        sys.addaudithook(hooks["audit_hooks"])
        for name, function in hooks.items():
            self.assertIn(function, obj_at(word(interp + getattr(L, "interp_" + name))), name)
        import _warnings
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            warnings.warn("the C code fetches the filters from the Python module now",
                          stacklevel=1)
            self.holds(interp, interp_warnings_filters=warnings.filters)
        self.assertIn(word(interp + L.interp_warnings_once_registry),
                      (id(_warnings._onceregistry), id(warnings.onceregistry)))
        self.assertIn(word(interp + L.interp_warnings_default_action),
                      (id(_warnings._defaultaction), id(warnings.defaultaction)))
        if L.interp_monitoring_callables is ABSENT:
            return
        line = sys.monitoring.events.LINE
        self.assertEqual(L.interp_monitoring_num_tools, 8)
        sys.monitoring.use_tool_id(3, "a tool")
        sys.monitoring.register_callback(3, line, hook)
        names = [word(interp + L.interp_monitoring_tool_names + 8 * i) for i in range(8)]
        self.assertEqual(obj_at(names[3]), "a tool")
        callables = [word(interp + L.interp_monitoring_callables + 8 * i)
                     for i in range(L.interp_monitoring_num_callables)]
        per_tool = L.interp_monitoring_num_callables // 8
        self.assertEqual([i for i, addr in enumerate(callables) if addr == id(hook)],
                         [3 * per_tool + line.bit_length() - 1])
        sys.monitoring.register_callback(3, line, None)
        sys.monitoring.free_tool_id(3)

    def test_atexit_callbacks(self):
        def callback(*args, **kw):
            pass

        interp = this_interp()
        atexit.register(callback, 1, k=2)
        if L.interp_atexit_list is not ABSENT:
            self.assertIn((callback, (1,), {"k": 2}),
                          obj_at(word(interp + L.interp_atexit_list)))
            atexit.unregister(callback)
            return
        if L.interp_atexit_callbacks is not ABSENT:
            array_at, num_at = interp + L.interp_atexit_callbacks, interp + L.interp_atexit_num
        else:
            self.holds(interp, interp_pyexitmodule=atexit)
            state = at(atexit, L.module_state)
            array_at, num_at = state + L.atexit_state_callbacks, state + L.atexit_state_num
        records = [word(word(array_at) + 8 * i) for i in range(int32(num_at))]
        last = next(r for r in reversed(records) if r)
        self.holds(last, atexit_func=callback)
        self.assertEqual(obj_at(word(last + L.atexit_args)), (1,))
        self.assertEqual(obj_at(word(last + L.atexit_kwargs)), {"k": 2})
        atexit.unregister(callback)

    def test_gc_generations(self):
        state = this_interp() + L.interp_gc
        if L.gc_generation0 is ABSENT:
            self.assertTrue(FREE_THREADED)
            return
        first = state + L.gc_generation0
        heads = [first + i * L.gc_generation_size for i in range(L.gc_num_generations)]
        gc.collect()
        gc.freeze()
        gc.disable()
        frozen = state + L.gc_permanent
        tracked, thresholds = [], []
        for head in heads + [frozen]:
            node, num = word(head), 0
            while node != head:
                following = word(node) & ~1
                self.assertEqual(word(following + L.gc_prev) & ~3, node)
                node, num = following, num + 1
            tracked.append(num)
            thresholds.append(int32(head + L.gc_generation_threshold))
        gc.unfreeze()
        gc.enable()
        self.assertGreater(tracked[3], 1000)
        self.assertEqual(thresholds, list(gc.get_threshold()) + [0])

    def test_state_of_the_collector(self):
        state = this_interp() + L.interp_gc
        gc.disable()
        self.assertEqual(int32(state + L.gc_enabled), 0)
        gc.enable()
        self.assertEqual(int32(state + L.gc_enabled), 1)
        self.holds(state, gc_garbage=gc.garbage, gc_callbacks=gc.callbacks)
        seen = []
        gc.callbacks.append(lambda phase, info: seen.append(int32(state + L.gc_collecting)))
        gc.collect()
        gc.callbacks.pop()
        self.assertIn(1, seen + [self.collecting_inside(state)])
        self.assertEqual(int32(state + L.gc_collecting), 0)

    def collecting_inside(self, state):
        """The flag as a finaliser sees it."""
        class Cycle:
            def __del__(self):
                seen.append(int32(state + L.gc_collecting))

        seen, cycle = [], Cycle()
        cycle.me = cycle
        del cycle
        gc.collect()
        return seen[0]

    def test_threads(self):
        def run():
            info.append((this_tstate(), threading.get_ident(), threading.get_native_id()))
            started.set()
            try:
                while not finish.is_set():
                    finish.wait(0.01)
            except KeyError:
                pass

        started, finish, info = threading.Event(), threading.Event(), []
        thread = threading.Thread(target=run)
        thread.start()
        started.wait()
        interp, (other, ident, native) = this_interp(), info[0]
        found, tstate = [], word(interp + L.interp_threads_head)
        while tstate:
            self.assertEqual(word(tstate + L.tstate_interp), interp)
            found.append(tstate)
            tstate = word(tstate + L.tstate_next)
        self.assertIn(this_tstate(), found)
        self.assertIn(other, found)
        self.assertEqual(word(other + L.tstate_thread_id), ident)
        if L.tstate_native_thread_id is not ABSENT:
            self.assertEqual(word(other + L.tstate_native_thread_id), native)
        if L.tstate_on_delete_data is not ABSENT:
            self.assertIs(type(obj_at(word(other + L.tstate_on_delete_data))), weakref.ref)
        switch = sys.getswitchinterval()
        sys.setswitchinterval(10)  # so that it stays pending while we look
        api.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(KeyError))
        pending = word(other + L.tstate_async_exc)
        sys.setswitchinterval(switch)
        self.assertIn(pending, (id(KeyError), 0))
        finish.set()
        thread.join()

    def test_thread_state(self):
        tstate = this_tstate()
        kept = pointer(api.PyThreadState_GetDict)
        self.assertEqual(word(tstate + L.tstate_dict), kept)
        seen = {}

        def profiler(frame, event, arg):
            pass

        def tracer(frame, event, arg):
            pass

        old_profile, old_trace = sys.getprofile(), sys.gettrace()
        sys.setprofile(profiler)
        seen["profile"] = word(tstate + L.tstate_c_profileobj)
        sys.setprofile(old_profile)
        sys.settrace(tracer)
        seen["trace"] = word(tstate + L.tstate_c_traceobj)
        sys.settrace(old_trace)
        self.assertEqual(seen, {"profile": id(profiler), "trace": id(tracer)})

    def test_no_error_is_set_while_python_runs(self):
        tstate = this_tstate()
        for name in ("curexc_type", "curexc_value", "curexc_traceback", "current_exception"):
            if getattr(L, "tstate_" + name) is not ABSENT:
                self.assertEqual(word(tstate + getattr(L, "tstate_" + name)), 0)


# Fields that no test above reads, or that this version's objects do not show from Python.
NOT_READ = {
    "cfunction_class": "the library of 3.9 has no method that knows its class",
    "datastack_chunk_previous": "a thread that never went deep has one chunk",
    "code_extra": "set by debuggers only",
    "code_zombieframe": "a cache of frames, up to 3.10",
    "gen_state_completed": "never seen from outside: cleared follows at once",
    "runtime_gc": "up to 3.8",
    "interp_eval_pending": "calls that C code asked for",
    "owner_cstack": "C frames are not shown", "owner_thread": "3.11+", "owner_generator": "3.11+",
    "owner_frame_object": "3.11+", "tstate_delete_later": "only while deep structures die",
}


class UnreadFieldsTest(LayoutTest):
    def test_few_fields_are_unproven(self):
        if "task_coro" not in L.used:
            self.skipTest("the tests of the other file did not run")
        unread = {name for name, value in L.values.items()
                  if name not in L.used and value is not ABSENT}
        self.assertEqual(unread - set(NOT_READ), set())


if __name__ == "__main__":
    from test_layout_live import (  # noqa: F401
        AsyncioTest,
        ContainerTest,
        DictTest,
        FunctionTest,
        SequenceTest,
        TypesTest,
    )

    unittest.main()
