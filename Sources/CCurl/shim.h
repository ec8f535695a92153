// libcurl fetches key sets and nothing else. Its options take any number of arguments of any type, which Swift cannot
// call: these are the same calls with types.
#include <curl/curl.h>

typedef size_t (*roost_curl_sink)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode roost_curl_set_number(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode roost_curl_set_text(CURL *handle, CURLoption option, const char *value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode roost_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode roost_curl_set_sink(CURL *handle, CURLoption option, roost_curl_sink value) {
  return curl_easy_setopt(handle, option, value);
}
static inline long roost_curl_status(CURL *handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return status;
}
