"""A minimal Django project with stock Channels and Django REST framework, for comparison only."""
