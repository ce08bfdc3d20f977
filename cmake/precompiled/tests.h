// For unit tests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common.h"
