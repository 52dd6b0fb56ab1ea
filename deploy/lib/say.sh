# Words for people on standard error. Sourced by other scripts.

say() { printf '%s\n' "$*" >&2; }

# One sentence that says what to do, and the end.
give_up() {
    say "$*"
    exit 1
}
