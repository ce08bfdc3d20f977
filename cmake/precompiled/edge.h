// For what speaks Asio: its headers are the largest of all.
#include <boost/asio.hpp>

#include "common.h"
