"""`dfsynth report`: what the pages for a browser are made from."""
