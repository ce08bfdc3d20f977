# tidemark_test(<name> <program>): what a sanitizer says fails the test, whichever of its processes it says it in: many are
# forked or started, and end by a signal.
function(tidemark_test name program)
  add_test(NAME ${name} COMMAND ${program})
  # Tests fork daemons that are killed, which start threads; ThreadSanitizer would refuse, for it might not see all.
  set(environment
      "TSAN_OPTIONS=path_list_append:die_after_fork=0"
      "TSAN_OPTIONS=path_list_append:suppressions='${CMAKE_SOURCE_DIR}/test/thread_sanitizer.supp'"
      "ASAN_OPTIONS=path_list_append:detect_stack_use_after_return=1"
      "ASAN_OPTIONS=path_list_append:strict_init_order=1"
      "UBSAN_OPTIONS=path_list_append:print_stacktrace=1")
  # Of AddressSanitizer, LeakSanitizer and ThreadSanitizer; of UBSan; of libstdc++.
  set(said "(WARNING|ERROR|FATAL): [A-Za-z]*Sanitizer" ": runtime error: " ": Assertion '.*' failed")
  set_tests_properties(${name} PROPERTIES ENVIRONMENT_MODIFICATION "${environment}" FAIL_REGULAR_EXPRESSION "${said}")
endfunction()
