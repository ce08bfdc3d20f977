#pragma once

#include <string>

namespace tidemark {

/// ASCII letters of `text` in lower case, for names and keywords that know no case.
std::string lowerCase(std::string text);

}  // namespace tidemark
