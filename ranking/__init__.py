"""What ranking knows of posts and people, and makes of it: pure."""
