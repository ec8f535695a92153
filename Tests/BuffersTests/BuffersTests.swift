// The tests come with the content.
