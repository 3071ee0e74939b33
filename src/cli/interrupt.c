// SPDX-License-Identifier: MIT
// cli/interrupt.c -- see interrupt.h. The handlers call only what POSIX allows in one.
#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t was_interrupted;

static void say_interrupted(void)
{
    static const char words[] = "\nrefchain: interrupted; no answer\n";
    ssize_t num = write(STDERR_FILENO, words, sizeof(words) - 1);
    (void)num;
}

static void die_of(int number)
{
    sigset_t set;
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    kill(getpid(), number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    _exit(128 + number);  // not reached
}

static void take_interrupt(int number)
{
    const struct itimerval deadline = {.it_value = {.tv_usec = RCH_INTERRUPT_MS * 1000}};
    if (was_interrupted) {  // a second time: at once
        say_interrupted();
        die_of(number);
    }
    was_interrupted = 1;
    setitimer(ITIMER_REAL, &deadline, NULL);
}

static void take_deadline(int number)
{
    (void)number;
    say_interrupted();
    die_of(SIGINT);
}

static void catch (int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

void rch_interrupt_catch(void)
{
    struct sigaction now;
    if (sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
        return;  // of a job in the background, or under nohup
    catch (SIGALRM, take_deadline);
    catch (SIGINT, take_interrupt);
}

bool rch_was_interrupted(void)
{
    return was_interrupted != 0;
}

void rch_end_interrupted(void)
{
    signal(SIGALRM, SIG_IGN);
    say_interrupted();
    die_of(SIGINT);
    abort();
}
