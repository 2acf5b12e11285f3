// All of Asio that is not a template, compiled here once (ASIO_SEPARATE_COMPILATION).
//
// Some header of the standard library has to come first, here as everywhere: Asio finds out by their macros whether there
// is std::aligned_alloc, and what one file allocates with it another must not give back to operator delete.
#include <cstdlib>

#include <asio/impl/src.hpp>
