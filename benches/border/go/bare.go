package main

// static __attribute__((noinline)) void bare(unsigned long long token) { __asm__ volatile("" : : "r"(token)); }
import "C"

// bare is one cgo call with nothing behind it.
func bare() { C.bare(1 << 60) }
