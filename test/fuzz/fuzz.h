#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

/// Parsers of bytes from outside, each as a target of libFuzzer; docs/decisions/outside_bytes.md.
namespace tidemark::fuzz {

struct Target {
    const char* name;
    /// Feeds the parser. An Error is an answer, unless it is Internal; any other exception, and requireThat(), end the
    /// program, as does whatever the sanitizers see.
    void (*run)(ByteView input);
    /// Inputs to begin with, made by the writers where there are any.
    std::vector<Bytes> (*seeds)();
};

/// Makes a target known to the program.
struct Registered {
    explicit Registered(Target target);
};

/// A promise of the code under test; `what` says which. Ends the program if it is broken.
void requireThat(bool kept, const char* what);

/// Ends the program if an error is one that no stranger may cause: Internal, but not of a server's own number.
void requireAnswer(const Error& error);

/// Runs `work` and tells whether it came to its end; an Error is an answer as well.
template <typename Work>
bool accepted(Work work) {
    try {
        work();
        return true;
    } catch (const Error& error) {
        requireAnswer(error);
        return false;
    }
}

/// Runs what may not fail, such as reading what was written just now: an Error ends the program.
template <typename Work>
auto promised(Work work) {
    try {
        return work();
    } catch (const Error& error) {
        requireThat(false, error.what());
        throw;
    }
}

/// Cuts an input into small choices and the rest; what is not there is 0.
class Choices {
public:
    explicit Choices(ByteView input) : rest_(input) {}
    std::uint8_t byte();
    std::uint32_t number();
    /// A part of the rest, as long as one byte (or two) says.
    ByteView part();
    ByteView longPart();
    ByteView rest() const { return rest_; }
    std::string text() const { return std::string(textOf(rest_)); }

private:
    ByteView take(std::size_t size);

    ByteView rest_;
};

Bytes bytesOf(std::string_view text);
std::vector<Bytes> seedsOf(std::initializer_list<std::string_view> texts);

}  // namespace tidemark::fuzz
