internal import RedisRelay

extension ServerConfiguration {
  /// The servers that rooms are spread over, in the order that all nodes share. At least one, perhaps empty.
  var redisURLs: [String] { redisURL.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }

  /// Where they are and how to get in; the password may stand apart from the URLs, and is the same for all then.
  func redisServers() throws(RedisConfigurationError) -> [RedisURL] {
    var servers: [RedisURL] = []
    for url in redisURLs { servers.append(try RedisURL(url, password: redisPassword)) }
    return servers
  }
}
