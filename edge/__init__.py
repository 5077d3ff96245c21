"""Media as readers get them: pictures made to measure and stored files, straight from the bucket."""
